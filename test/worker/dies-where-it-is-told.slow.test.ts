import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { suite, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { CrashPoint } from "../../src/kit/crashpoint.ts";
import { onTheStudio, type OnTheStudio } from "./on-the-studio.ts";

/** What the studio has of the episode when the worker's process was killed at a point: the points are where they say. */
const points: readonly [CrashPoint, number][] = [
  ["signing-in", 0],
  ["upload-begun", 0],
  ["form-filled", 0],
  ["request-held", 0],
  ["bytes-sent", 1],
  ["reply-headers", 1],
  ["reply-parsed", 1],
  ["feed-read", 1],
];

const LIFE_MS = 60_000;
/** Bytes that have left are handled a moment later; a browser outlives its worker by up to a second. */
const HANDLED_WITHIN_MS = 2000;

async function lives(t: TestContext, point: CrashPoint, given: unknown): Promise<{ signal: string | null; said: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("../support/worker-process.ts", import.meta.url)), JSON.stringify(given)], {
    env: { ...process.env, PODCREW_CRASHPOINT: point },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  const timer = setTimeout(() => child.kill("SIGTERM"), LIFE_MS);
  let said = "";
  child.stderr.on("data", (data: Buffer) => (said += String(data)));
  child.stdout.on("data", (data: Buffer) => (said += String(data)));
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  clearTimeout(timer);
  return { signal, said };
}

/** How many episodes the studio has published, once it has had its time; sooner where there are enough. */
async function handled({ history }: OnTheStudio, enough: number): Promise<number> {
  const until = Date.now() + HANDLED_WITHIN_MS;
  for (;;) {
    const { length } = await history();
    if ((enough > 0 && length >= enough) || Date.now() > until) return length;
    await new Promise((done) => setTimeout(done, 50));
  }
}

suite("a worker that is killed", { concurrency: 2 }, () => {
  for (const [point, published] of points) {
    test(`at "${point}" leaves ${published === 0 ? "nothing published" : "one episode published"}`, async (t) => {
      const given = await onTheStudio(t);
      const { signal, said } = await lives(t, point, { assignment: given.assign(), episode: await given.episode(1) });
      assert.equal(signal, "SIGKILL", said);
      assert.match(said, new RegExp(`crash point ${point}`));
      assert.equal(await handled(given, published), published);
    });
  }
});
