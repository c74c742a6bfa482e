import sharp from "sharp";
import { fetch } from "undici";
import type { FeedFinding } from "../../media/check-feed.ts";
import { USER_AGENT, type FetchedFeed, type ParsedFeed } from "./fetch-feed.ts";

/**
 * What only the servers' answers tell of a feed: how the feed itself is sent, and whether players get its files. What stands in
 * the feed is judged by media/check-feed.ts.
 */
export type Finding = Pick<FeedFinding, "code" | "level" | "where" | "say" | "fix" | "times"> & Partial<Pick<FeedFinding, "line" | "asks">>;

const DEADLINE_MS = 20_000;
const AT_A_TIME = 4;
const MAX_COVER_BYTES = 20 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
const COVER = { minPixels: 1400, maxPixels: 3000 } as const;

/** How the feed itself was sent. */
export function checkDelivery({ url, headers, redirects }: FetchedFeed): Finding[] {
  if (!headers) return [];
  const found: Finding[] = [];
  const warn = (code: string, say: string, fix: string): void =>
    void found.push({ level: "warning", code, where: "the feed", say, fix, times: 1 });
  const type = mediaType(headers);
  if (!/^(application|text)\/(rss\+xml|xml|atom\+xml)$/.test(type))
    warn("answer.feed.type", `The server calls it ${type || "nothing"}.`, "Send it as application/rss+xml; charset=utf-8.");
  if (!headers.get("etag") && !headers.get("last-modified"))
    warn(
      "answer.feed.validators",
      "Neither ETag nor Last-Modified came with it.",
      "Send one, so that players that have it already ask cheaply.",
    );
  const temporary = redirects.find(({ status }) => status !== 301 && status !== 308);
  if (temporary)
    warn(
      "answer.feed.redirect",
      `${temporary.from} leads to it by ${temporary.status}, for now only.`,
      "Where the feed has moved for good, answer 301 or 308.",
    );
  if (url.startsWith("http:"))
    warn("answer.feed.https", "It is not sent over https.", "Serve the feed and its files over https; directories ask for it.");
  return found;
}

interface Recording {
  url: string;
  length: number;
  type: string;
}

/** The files of episodes as Apple asks for them: HEAD first, then a piece. Of one kind of problem the first, with their number. */
export async function checkRecordings(items: NonNullable<ParsedFeed["items"]>): Promise<Finding[]> {
  const recordings = items.flatMap(({ enclosures: [one] = [] }): Recording[] =>
    one?.url ? [{ url: one.url, length: one.length ?? 0, type: one.type ?? "" }] : [],
  );
  const found: Finding[][] = [];
  const queue = recordings.entries();
  const work = async (): Promise<void> => {
    for (const [index, recording] of queue) found[index] = await checkRecording(recording);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return mergeFindings(found.flat());
}

async function checkRecording({ url, length, type }: Recording): Promise<Finding[]> {
  const found: Finding[] = [];
  const note = (level: Finding["level"], code: string, say: string, fix: string): void =>
    void found.push({ level, code, where: url, say, fix, times: 1 });
  const head = await ask(url, "HEAD");
  if (typeof head === "string" || head.status >= 400) {
    note(
      "error",
      "answer.media.head",
      `HEAD was ${told(head)}.`,
      "Players ask so before they download: answer it as GET, without the body.",
    );
    return found;
  }
  const sent = Number(head.headers.get("content-length") ?? 0);
  if (sent > 0 && length > 0 && sent !== length)
    note(
      "warning",
      "answer.media.length",
      `The feed says ${length} bytes, the server ${sent}.`,
      "Write the file's size into the enclosure.",
    );
  const sentType = mediaType(head.headers);
  if (!/^(audio|video)\//.test(sentType))
    note(
      "error",
      "answer.media.type",
      `The server calls it ${sentType || "nothing"}, the feed ${type || "nothing"}.`,
      "Send it as what it is, such as audio/mpeg.",
    );
  const piece = await ask(url, "GET", { headers: { range: "bytes=0-1" } });
  if (typeof piece === "string" || piece.status !== 206)
    note(
      "error",
      "answer.media.range",
      `A piece of it was ${told(piece)}.`,
      "Answer range requests with 206: Apple refuses files without, and nobody can seek in them.",
    );
  return found;
}

/** The cover by its pixels, which the feed does not tell. */
export async function checkCover({ itunes, image }: ParsedFeed): Promise<Finding[]> {
  const url = itunes?.image ?? image?.url;
  if (!url) return [];
  const wrong = (code: string, say: string, fix: string): Finding => ({ level: "error", code, where: url, say, fix, times: 1 });
  const answer = await ask(url, "GET", { maxBytes: MAX_COVER_BYTES });
  if (typeof answer === "string" || answer.status >= 400)
    return [wrong("answer.cover", `The cover was ${told(answer)}.`, "Put the picture where the feed says it is.")];
  const picture = await sharp(answer.body)
    .metadata()
    .catch(() => null);
  const { format = "", width = 0, height = 0, space = "" } = picture ?? {};
  if (format !== "jpeg" && format !== "png")
    return [wrong("answer.cover.format", `The cover is ${format || "no picture"}.`, "Make it JPEG or PNG.")];
  const isFit = width === height && width >= COVER.minPixels && width <= COVER.maxPixels;
  return [
    ...(isFit
      ? []
      : [
          wrong(
            "answer.cover.size",
            `The cover is ${width} x ${height} pixels.`,
            `Make it square, ${COVER.minPixels} to ${COVER.maxPixels} pixels.`,
          ),
        ]),
    ...(space === "cmyk" ? [wrong("answer.cover.colours", "The cover is in CMYK, for print.", "Save it in RGB.")] : []),
  ];
}

/** One of each kind, the first, with how often it is broken in all. */
export function mergeFindings(findings: readonly Finding[]): Finding[] {
  const byCode = new Map<string, Finding>();
  for (const finding of findings) {
    const first = byCode.get(finding.code);
    byCode.set(finding.code, first ? { ...first, times: first.times + finding.times } : finding);
  }
  return [...byCode.values()];
}

interface Answered {
  status: number;
  headers: Pick<Headers, "get">;
  body: Buffer;
}

const told = (answer: Answered | string): string => (typeof answer === "string" ? answer : `answered with ${answer.status}`);
const mediaType = (headers: Pick<Headers, "get">): string => headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";

/** @returns a word about why there is no answer */
async function ask(
  url: string,
  method: "GET" | "HEAD",
  { headers = {}, maxBytes = PIECE_BYTES }: { headers?: Record<string, string>; maxBytes?: number } = {},
): Promise<Answered | string> {
  try {
    const response = await fetch(url, {
      method,
      headers: { "user-agent": USER_AGENT, ...headers },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of response.body ?? []) {
      pieces.push(piece as Uint8Array);
      // Leaving the loop ends the transfer.
      if ((bytes += (piece as Uint8Array).byteLength) > maxBytes) break;
    }
    return { status: response.status, headers: response.headers, body: Buffer.concat(pieces) };
  } catch (error) {
    const { code = "", name, message } = ((error as Error).cause ?? error) as { code?: string; name: string; message: string };
    return name === "TimeoutError" ? `not answered within ${DEADLINE_MS / 1000} s` : `not answered (${code || message})`;
  }
}
