import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { withDeadline } from "../../../src/kit/deadline.ts";

export interface Call {
  /** Default GET. */
  method?: "GET" | "POST";
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
}

export interface LoadJob {
  /** Origin. */
  url: string;
  /** In turn, and again from the first. */
  calls: readonly Call[];
  connections: number;
  /** Ends after so many calls … */
  count?: number;
  /** … or so long, whichever is first. */
  seconds: number;
  /** So many calls begin a second, whatever became of those before them. Absent: each connection asks again once it is answered. */
  perSecond?: number;
}

export interface LoadOutcome {
  calls: number;
  seconds: number;
  /** How many were answered so; what is no number says why there was no answer. */
  statuses: Record<string, number>;
  p50Ms: number;
  p99Ms: number;
}

export interface Load {
  /** One at a time. */
  run(job: LoadJob): Promise<LoadOutcome>;
  close(): Promise<void>;
}

/** For the calls that are still open when the time is up. */
const GRACE_MS = 60_000;

/** Who makes the calls: a process of its own, which ends with this one. */
export async function openLoad(): Promise<Load> {
  const child = fork(fileURLToPath(new URL("./load-child.ts", import.meta.url)), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const exited = once(child, "exit");
  const ended = exited.then(([code]) => Promise.reject(new Error(`the load generator ended with ${String(code)}`)));
  ended.catch(() => undefined);
  const next = async (): Promise<unknown> => Promise.race([once(child, "message").then(([message]) => message as unknown), ended]);
  await next();
  return {
    async run(job) {
      child.send(job);
      return (await withDeadline(job.seconds * 1000 + GRACE_MS, "the load generator's answer", next)) as LoadOutcome;
    },
    async close() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** @throws Error unless all were answered with one of these */
export function onlyStatuses({ statuses }: LoadOutcome, ...expected: readonly number[]): void {
  const others = Object.entries(statuses).filter(([status]) => !expected.includes(Number(status)));
  if (others.length > 0) throw new Error(`calls were answered ${others.map(([status, times]) => `${status} (${times} times)`).join(", ")}`);
}
