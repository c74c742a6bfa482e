import { mkdtemp } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { table } from "../../src/cli/table.ts";
import { createLog } from "../../src/kit/log.ts";
import { checkFeed } from "../../src/media/check-feed.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openVault } from "../../src/store/vault.ts";
import { openStudio } from "../../src/studio/studio.ts";
import { freshDatabase, postgresMissing } from "../../test/support/postgres.ts";

const NAME = "ten-thousand";
const READS = 50;

/** One thing that was measured on one backend. */
export interface FeedFigure {
  backend: Store["backend"];
  what: string;
  ms: number;
  /** Of this process, which on PostgreSQL is not all; says more than `ms` on a machine that has other work. */
  cpuMs: number;
  /** ms */
  goal?: number;
  note: string;
}

/**
 * What a feed of ten thousand episodes costs: all of it, one episode more, and a reader who comes again.
 * @returns the report, and whether every episode was in the feed once; a missed goal is not wrong
 */
export async function benchFeed(
  folder: string,
  { quick, json }: { quick: boolean; json: boolean },
): Promise<{ report: string; right: boolean }> {
  const episodes = quick ? 1600 : 10_000;
  const figures: FeedFigure[] = [];
  for (const databaseUrl of [undefined, ...(postgresMissing ? [] : [await freshDatabase()])]) {
    figures.push(...(await measure(await mkdtemp(join(folder, "feed-")), databaseUrl, episodes)));
  }
  const right = figures.every(({ note }) => !note.startsWith("WRONG"));
  if (json) return { report: JSON.stringify({ quick, episodes, figures }, null, 2), right };
  const rows = figures.map(({ backend, what, ms, cpuMs, goal, note }) => [
    what,
    backend,
    ms.toFixed(ms < 10 ? 1 : 0),
    cpuMs.toFixed(cpuMs < 10 ? 1 : 0),
    goal ? `<= ${goal}` : "",
    goal ? (ms <= goal ? "ok" : "missed") : "",
    note,
  ]);
  const head = `${cpus().length} cores, Node ${process.versions.node}; ${episodes.toLocaleString("en")} episodes, from the request to its last byte`;
  return { report: `${head}\n\n${table([["", "", "ms", "CPU ms", "goal", "", ""], ...rows])}`, right };
}

async function measure(dataDir: string, databaseUrl: string | undefined, episodes: number): Promise<FeedFigure[]> {
  const log = createLog({ level: "error", format: "pretty" });
  const store = await openStore({ dataDir, databaseUrl, log });
  const config = { host: "127.0.0.1", port: 0, allowedHosts: [], dataDir, mailFrom: "studio@podcrew.example", timeZone: "UTC" };
  const studio = await openStudio({ store, vault: openVault({ dataDir, embedded: true }), log, config });
  try {
    const { id } = await studio.accounts.create({ email: "o@podcrew.example", password: "demo-password", secondFactor: "none" });
    const show = await studio.shows.create({ ownerId: id, name: NAME, title: "Ten thousand", description: "Each day one." });
    await seed(store, show.guid, 1, episodes);
    const url = `${studio.url}/feeds/${NAME}.xml`;
    const figures: FeedFigure[] = [];
    const add = async (what: string, goal?: number): Promise<void> => {
      const { ms, cpuMs, xml } = await timed(url);
      figures.push({
        backend: store.backend,
        what,
        ms,
        cpuMs,
        ...(goal !== undefined && { goal }),
        note: `${(xml.length / 1e6).toFixed(1)} MB in the current document`,
      });
    };
    await add("the whole feed", 3000);
    await seed(store, show.guid, episodes + 1, episodes + 1);
    await add("one episode more", 500);
    await store.raw("update studio.episodes set title = 'New words' where parent = $1 and slug = 'e-7'", [show.guid]);
    await add("the words of an old one", 500);
    await store.raw("update studio.shows set title = 'Ten thousand and one' where guid = $1", [show.guid]);
    await add("the show's own title", 3000);
    figures.push(await readAgain(store.backend, url), await count(store.backend, url, episodes + 1));
    return figures;
  } finally {
    await studio.close();
    await store.close();
  }
}

async function timed(url: string, headers: Record<string, string> = {}): Promise<{ ms: number; cpuMs: number; xml: string; etag: string }> {
  const [from, spent] = [performance.now(), process.cpuUsage()];
  const response = await fetch(url, { headers });
  const xml = await response.text();
  if (response.status >= 400) throw new Error(`${url} answered ${response.status}`);
  return { ms: performance.now() - from, cpuMs: cpuSince(spent), xml, etag: response.headers.get("etag") ?? "" };
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function readAgain(backend: Store["backend"], url: string): Promise<FeedFigure> {
  const { etag } = await timed(url);
  const spent = process.cpuUsage();
  const times: number[] = [];
  for (let read = 0; read < READS; read++) times.push((await timed(url, { "if-none-match": etag })).ms);
  const ms = times.toSorted((a, b) => a - b)[READS / 2] ?? 0;
  return { backend, what: "a reader who comes again", ms, cpuMs: cpuSince(spent) / READS, note: `304, median of ${READS}` };
}

/** Follows the pages as a reader does that wants all of it. */
async function count(backend: Store["backend"], url: string, expected: number): Promise<FeedFigure> {
  const [from, spent] = [performance.now(), process.cpuUsage()];
  const guids = new Set<string>();
  let pages = 0;
  for (let next: string | null = url; next !== null; pages++) {
    const { xml } = await timed(next);
    for (const [, guid = ""] of xml.matchAll(/<guid isPermaLink="false">([^<]*)<\/guid>/g)) guids.add(guid);
    const { older, findings } = checkFeed(xml);
    const wrong = findings.find(({ level }) => level === "error");
    if (wrong) throw new Error(`${next}: ${wrong.say}`);
    next = older;
  }
  const note = `${guids.size.toLocaleString("en")} episodes on ${pages} pages, each one valid`;
  return {
    backend,
    what: "all pages, read and checked",
    ms: performance.now() - from,
    cpuMs: cpuSince(spent),
    note: guids.size === expected ? note : `WRONG: ${note}`,
  };
}

/** Rows as the studio itself would have written them, but by the thousand: one a day. */
async function seed(store: Store, show: string, from: number, to: number): Promise<void> {
  const values = [show, from, to];
  await store.raw(
    `insert into studio.assets (guid, parent, kind, file_name, path, mime, bytes, seconds, state, created_at)
     select 'a' || lpad(to_hex(i), 11, '0'), $1, 'audio', 'e.mp3', md5(i::text) || '.mp3', 'audio/mpeg', 1000000 + i, 600 + i % 1800, 'ready', now()
     from generate_series($2::int, $3::int) i`,
    values,
  );
  await store.raw(
    `insert into studio.episodes (guid, parent, slug, title, about_html, audio, machine_voice, state, published_at, created_at, updated_at)
     select 'e' || lpad(to_hex(i), 11, '0'), $1, 'e-' || i, 'Chuyện số ' || i || ' & more', repeat('<p>Nội dung <strong>tập ' || i || '</strong> &amp; bạn bè.</p>', 20),
       'a' || lpad(to_hex(i), 11, '0'), i % 2 = 0, 'published', timestamptz '1999-01-01 08:00Z' + i * interval '1 day', now(), now()
     from generate_series($2::int, $3::int) i`,
    values,
  );
}
