import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";

const run = promisify(execFile);
const DEADLINE_MS = 180_000;

/** An episode as an app shows it. */
export interface Heard {
  title: string;
  guid: string;
  /** Of the recording. */
  url: string;
  /** null: the app does not keep it. */
  seconds: number | null;
}

export interface Downloaded extends Heard {
  bytes: Buffer;
}

/** gPodder on the command line. @returns what it has downloaded, in no order */
export async function gpodder(home: string, feed: string): Promise<{ show: string; episodes: Downloaded[] }> {
  const downloads = join(home, "downloads");
  const env = { ...process.env, GPODDER_HOME: home, GPODDER_DOWNLOAD_DIR: downloads, LC_ALL: "C.UTF-8", no_proxy: "127.0.0.1" };
  const gpo = async (...args: string[]) => run("/usr/bin/gpo", args, { env, timeout: DEADLINE_MS });
  await mkdir(downloads, { recursive: true });
  await gpo("subscribe", feed);
  await gpo("update", feed);
  await gpo("download", feed);
  const db = new DatabaseSync(join(home, "Database"), { readOnly: true });
  try {
    const [podcast] = db.prepare("select title, download_folder as folder from podcast").all() as { title: string; folder: string }[];
    const rows = db
      .prepare("select title, guid, url, total_time as seconds, download_filename as file from episode where download_filename is not null")
      .all() as unknown as (Heard & { file: string })[];
    const episodes = rows.map(async ({ file, ...heard }) => ({
      ...heard,
      bytes: await readFile(join(downloads, podcast?.folder ?? "", file)),
    }));
    return { show: podcast?.title ?? "", episodes: await Promise.all(episodes) };
  } finally {
    db.close();
  }
}

/** Newsboat, a reader of all kinds of feeds. */
export async function newsboat(home: string, feed: string): Promise<{ show: string; episodes: Heard[]; unread: string }> {
  const [urls, cache, config] = ["urls", "cache.db", "config"].map((name) => join(home, name)) as [string, string, string];
  await mkdir(home, { recursive: true });
  await writeFile(urls, `${feed}\n`);
  await writeFile(config, "");
  const env = { ...process.env, HOME: home, LC_ALL: "C.UTF-8", no_proxy: "127.0.0.1" };
  const { stdout } = await run("/usr/bin/newsboat", ["-u", urls, "-c", cache, "-C", config, "-x", "reload", "print-unread"], {
    env,
    timeout: DEADLINE_MS,
  });
  const db = new DatabaseSync(cache, { readOnly: true });
  try {
    const [show] = db.prepare("select title from rss_feed").all() as { title: string }[];
    const rows = db.prepare("select title, guid, enclosure_url as url from rss_item").all() as unknown as Omit<Heard, "seconds">[];
    return { show: show?.title ?? "", episodes: rows.map((row) => ({ ...row, seconds: null })), unread: stdout.trim() };
  } finally {
    db.close();
  }
}

const PARSE = `
import json, sys, podcastparser
from urllib.request import urlopen
feed = podcastparser.parse(sys.argv[1], urlopen(sys.argv[1]))
print(json.dumps({
  "show": feed["title"], "next": feed.get("paged_feed_next"), "type": feed.get("type"), "cover": feed.get("cover_url"),
  "episodes": [{"title": e["title"], "guid": e["guid"], "seconds": e["total_time"], "url": e["enclosures"][0]["url"],
    "bytes": e["enclosures"][0]["file_size"], "published": e["published"]} for e in feed["episodes"]]}))
`;

export interface Parsed {
  show: string;
  /** The next page's address. */
  next: string | null;
  cover: string;
  episodes: (Heard & { bytes: number; published: number })[];
}

/** The parser that gPodder and others are made with, by itself. */
export async function podcastparser(feed: string): Promise<Parsed> {
  const env = { ...process.env, no_proxy: "127.0.0.1" };
  const { stdout } = await run("/usr/bin/python3", ["-c", PARSE, feed], { env, timeout: DEADLINE_MS, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as Parsed;
}
