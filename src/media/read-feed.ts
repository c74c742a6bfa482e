import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseRssFeed } from "feedsmith";
import { Failure } from "../contract/failures.ts";
import type { AddressPolicy } from "../kit/addresses.ts";
import { isUuid } from "../kit/uuid.ts";
import { download } from "./download.ts";
import { feedText, UnknownEncoding } from "./feed-text.ts";

/** What whoever takes over a show needs to know of its feed. Texts as the feed has them, "" where it says nothing. */
export interface ReadFeed {
  title: string;
  description: string;
  language: string;
  author: string;
  /** `itunes:owner`'s, else `itunes:email`'s or the lock's; "" where nobody is named. */
  ownerEmail: string;
  /** `podcast:locked` yes: no other host may take it over. */
  locked: boolean;
  /** `podcast:guid`, "" where it is no UUID. */
  podcastGuid: string;
  category: string;
  explicit: boolean;
  /** In the feed's order; only those with a recording. */
  episodes: ReadEpisode[];
}

export interface ReadEpisode {
  guid: string;
  title: string;
  html: string;
  publishedAt: Date | null;
  audioUrl: string;
}

const MAX_BYTES = 20 * 1024 * 1024;

interface ReadFeedOptions {
  policy: AddressPolicy;
  /** The whole way, ms. */
  deadlineMs: number;
  signal: AbortSignal;
  /** An existing one, for the file on its way. */
  folder: string;
}

/** @throws Failure content.unreachable, content.forbidden_address; content.feed when it is no podcast's feed */
export async function readFeed(url: string, { policy, deadlineMs, signal, folder }: ReadFeedOptions): Promise<ReadFeed> {
  const toPath = join(folder, `feed-${randomUUID()}.xml`);
  try {
    await download(url, { toPath, maxBytes: MAX_BYTES, deadlineMs, policy, signal, kind: "feed" });
    return parseFeed(textOf(await readFile(toPath)));
  } finally {
    await rm(toPath, { force: true });
  }
}

/** @throws Failure content.feed */
function textOf(bytes: Buffer): string {
  try {
    return feedText(bytes);
  } catch (cause) {
    if (cause instanceof UnknownEncoding) throw new Failure("content.feed", `what stands at the address ${cause.message}`, { cause });
    throw cause;
  }
}

/** @throws Failure content.feed */
export function parseFeed(xml: string): ReadFeed {
  const feed = parsed(xml);
  const { itunes, podcast } = feed;
  return {
    title: feed.title ?? "",
    description: feed.description ?? "",
    language: feed.language ?? "",
    author: itunes?.author ?? "",
    ownerEmail: itunes?.owner?.email ?? podcast?.locked?.owner ?? "",
    locked: podcast?.locked?.value === true,
    podcastGuid: isUuid(podcast?.guid ?? "") ? (podcast?.guid ?? "").toLowerCase() : "",
    category: itunes?.categories?.[0]?.text ?? "",
    explicit: itunes?.explicit === true,
    episodes: (feed.items ?? []).flatMap((item): ReadEpisode[] => {
      const audioUrl = item.enclosures?.[0]?.url;
      if (!audioUrl) return [];
      const publishedAt = new Date(item.pubDate ?? "");
      return [
        {
          guid: item.guid?.value ?? audioUrl,
          title: item.title ?? item.itunes?.title ?? "",
          html: item.content?.encoded ?? item.description ?? "",
          publishedAt: Number.isNaN(publishedAt.getTime()) ? null : publishedAt,
          audioUrl,
        },
      ];
    }),
  };
}

function parsed(xml: string): ReturnType<typeof parseRssFeed<string>> {
  try {
    return parseRssFeed(xml);
  } catch (error) {
    throw new Failure("content.feed", "what stands at the address is not a podcast's RSS feed", { cause: error });
  }
}
