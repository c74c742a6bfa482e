import { Pool, type Dispatcher } from "undici";
import { quantile } from "./quantile.ts";
import type { Call, LoadJob, LoadOutcome } from "./load.ts";

/** Makes calls as it is told, one job after another, and says how they went. In a process of its own: it takes its share of a core. */
const STEP_MS = 1;

process.on("message", (job: LoadJob) => {
  void load(job).then((outcome) => process.send?.(outcome));
});
process.once("disconnect", () => process.exit());
process.send?.("ready");

async function load({ url, calls, connections, count = Infinity, seconds, perSecond }: LoadJob): Promise<LoadOutcome> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const statuses: Record<string, number> = {};
  const timesMs: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let begun = 0;
  const ask = async (since: number): Promise<void> => {
    const status = await answered(pool, calls[begun++ % calls.length] as Call);
    timesMs.push(performance.now() - since);
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  if (perSecond === undefined) {
    const goesOn = (): boolean => begun < count && (begun < connections || performance.now() < endsAt);
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (goesOn()) await ask(performance.now());
      }),
    );
  } else {
    // A call's time runs from when it was due, also when those before it held it up.
    const due = (index: number): number => startedAt + (index * 1000) / perSecond;
    const most = Math.min(count, perSecond * seconds);
    const open: Promise<void>[] = [];
    while (open.length < most) {
      const now = performance.now();
      while (open.length < most && due(open.length) <= now) open.push(ask(due(open.length)));
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
    await Promise.all(open);
  }
  const took = (performance.now() - startedAt) / 1000;
  await pool.close();
  timesMs.sort((a, b) => a - b);
  return { calls: timesMs.length, seconds: took, statuses, p50Ms: quantile(timesMs, 0.5), p99Ms: quantile(timesMs, 0.99) };
}

/** @returns the status, or why there is none */
async function answered(pool: Pool, { method = "GET", path, headers, body }: Call): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let status = 0;
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => undefined,
    onResponseStart: (_controller, code) => void (status = code),
    onResponseData: () => undefined,
    onResponseEnd: () => resolve(String(status)),
    onResponseError: (_controller, error) => resolve(error.message),
  };
  pool.dispatch({ method, path, headers, body: body ?? null }, handler);
  return promise;
}
