import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onlyStatuses, type Call, type Load } from "./load.ts";
import type { Row } from "./report.ts";
import type { Owner, Scene } from "./scene.ts";
import type { Sizes } from "./sizes.ts";

/** Each may make 1,000 calls a second. */
const KEYS = 20;
const CONNECTIONS = 64;
const GOALS = { perSecond: 3000, p99Ms: 20 } as const;

/** How fast a content is read by its id: as often as it can be, at a steady rate, and beside a server that does nothing. */
export async function measureReads(scene: Scene, sizes: Sizes): Promise<Row[]> {
  const { load, manager, backend } = scene;
  const calls = await prepare(scene, await scene.addOwner("reader", 0), sizes.contents);
  const saturate = { calls, connections: CONNECTIONS, seconds: sizes.loadSeconds };
  await load.run({ ...saturate, url: manager.url, seconds: sizes.loadSeconds / 2 });
  const cpuBefore = process.cpuUsage();
  const full = await load.run({ ...saturate, url: manager.url });
  const { user, system } = process.cpuUsage(cpuBefore);
  onlyStatuses(full, 200);
  const steady = await load.run({ ...saturate, url: manager.url, perSecond: sizes.steadyPerSecond });
  onlyStatuses(steady, 200);
  const bare = await bareServer(load, await bytesOf(manager.url, calls[0] as Call), saturate);
  const perSecond = full.calls / full.seconds;
  return [
    {
      what: "get-by-id, as often as can be",
      backend,
      perSecond,
      p50Ms: full.p50Ms,
      p99Ms: full.p99Ms,
      ratio: perSecond / bare,
      of: "bare node:http",
      // The goal is one of PostgreSQL; PGlite's one connection is shown beside it.
      ...(backend === "postgres" && { goal: `>= ${GOALS.perSecond}/s`, met: perSecond >= GOALS.perSecond }),
      note: `${Math.round((user + system) / full.calls)} µs CPU a call`,
    },
    {
      what: `get-by-id, ${sizes.steadyPerSecond}/s, open loop`,
      backend,
      perSecond: steady.calls / steady.seconds,
      p50Ms: steady.p50Ms,
      p99Ms: steady.p99Ms,
      goal: `p99 <= ${GOALS.p99Ms} ms`,
      met: steady.p99Ms <= GOALS.p99Ms,
    },
  ];
}

/** Contents of two variants with a picture each, and tags. */
async function prepare({ store, manager }: Scene, { id: tenant, client }: Owner, contents: number): Promise<Call[]> {
  const { rows } = await store.raw(
    `insert into manager.media (id, user_id, filename, mime_type, size_bytes, created_at)
       values (gen_random_uuid(), $1, 'cover.jpg', 'image/jpeg', 100000, now()) returning id`,
    [tenant],
  );
  const mediaIds = (rows as { id: string }[]).map(({ id }) => id);
  const ids: string[] = [];
  for (let number = 0; number < contents; number += 1) {
    const variants = ["A text for a post #podcast", `Another text, number ${number}`].map((content) => ({ content, mediaIds }));
    const made = await client.content.createContent({
      body: { title: `Content ${number}`, tags: ["bench", `tag ${number % 20}`], variants },
    });
    ids.push(made.content.id);
  }
  await store.raw("analyze");
  const keys = await Promise.all(
    Array.from({ length: KEYS }, async (_, index) => manager.keys.create({ name: `reader ${index}`, scopes: ["content:read"], tenant })),
  );
  return ids.flatMap((id) => keys.map(({ key }) => ({ path: `/api/v1/content/get-by-id/${id}`, headers: { "x-api-key": key } })));
}

async function bytesOf(url: string, { path, headers }: Call): Promise<number> {
  return (await (await fetch(url + path, { headers })).bytes()).length;
}

/** @returns calls a second */
async function bareServer(load: Load, bytes: number, saturate: { calls: Call[]; connections: number; seconds: number }): Promise<number> {
  const child = fork(fileURLToPath(new URL("./bare-server.ts", import.meta.url)), [String(bytes)]);
  const exited = once(child, "exit");
  const [port] = (await Promise.race([once(child, "message"), exited.then(() => Promise.reject(new Error("the bare server ended")))])) as [
    number,
  ];
  const job = { ...saturate, url: `http://127.0.0.1:${port}` };
  await load.run({ ...job, seconds: job.seconds / 4 });
  const { calls, seconds } = await load.run(job);
  child.disconnect();
  await exited;
  return calls / seconds;
}
