import { readXml, type XmlElement } from "../../../src/media/xml-read.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Studio } from "../../../src/studio/studio.ts";
import { showName } from "../support.ts";

/** Published episodes as the studio itself would have written them, one a day: "Day 1" is of 2001-01-02. */
export async function givenDays(store: Store, studio: Studio, from: number, to: number): Promise<void> {
  const show = await studio.shows.find(showName);
  const values = [show?.guid, from, to];
  await store.raw(
    `insert into studio.assets (guid, parent, kind, file_name, path, mime, bytes, seconds, state, created_at)
     select 'a' || lpad(to_hex(i), 11, '0'), $1, 'audio', 'e.mp3', md5(i::text) || '.mp3', 'audio/mpeg', 1000 + i, 60, 'ready', now()
     from generate_series($2::int, $3::int) i`,
    values,
  );
  await store.raw(
    `insert into studio.episodes (guid, parent, slug, title, about_html, audio, machine_voice, state, published_at, created_at, updated_at)
     select 'e' || lpad(to_hex(i), 11, '0'), $1, 'day-' || i, 'Day ' || i, '<p>What happened.</p>', 'a' || lpad(to_hex(i), 11, '0'), false, 'published',
       timestamptz '2001-01-01 08:00Z' + i * interval '1 day', now(), now()
     from generate_series($2::int, $3::int) i`,
    values,
  );
}

/** A document of a feed as a reader sees it. */
export interface Page {
  url: string;
  xml: string;
  etag: string;
  /** In the document's order. */
  titles: string[];
  guids: string[];
  links: Readonly<Record<string, string>>;
  archive: boolean;
}

const prefixes = new Map([
  ["http://www.w3.org/2005/atom", "atom"],
  ["http://purl.org/syndication/history/1.0", "fh"],
]);

export async function readPage(url: string): Promise<Page> {
  const response = await fetch(url);
  const xml = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${xml}`);
  const channel = readXml(xml, prefixes).children[0];
  const named = (element: XmlElement | undefined, name: string): XmlElement[] =>
    element?.children.filter((child) => child.name === name) ?? [];
  const items = named(channel, "item");
  return {
    url,
    xml,
    etag: response.headers.get("etag") ?? "",
    titles: items.map((item) => named(item, "title")[0]?.text ?? ""),
    guids: items.map((item) => named(item, "guid")[0]?.text ?? ""),
    links: Object.fromEntries(named(channel, "atom:link").map(({ attributes }) => [attributes["rel"] ?? "", attributes["href"] ?? ""])),
    archive: named(channel, "fh:archive").length > 0,
  };
}

/** The feed and all its archives, as somebody follows them who wants every episode: newest first. */
export async function readAll(studio: Studio, rel: "prev-archive" | "next" = "prev-archive"): Promise<Page[]> {
  const pages = [await readPage(`${studio.url}/feeds/${showName}.xml`)];
  for (let older = pages[0]?.links[rel]; older !== undefined; older = pages.at(-1)?.links[rel]) pages.push(await readPage(older));
  return pages;
}

export function days(from: number, to: number): string[] {
  return Array.from({ length: from - to + 1 }, (_, index) => `Day ${from - index}`);
}
