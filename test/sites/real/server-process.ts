import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { childProcesses, stillAlive } from "../../support/processes.ts";

const UP_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 50;
const ENDS_WITHIN_MS = 10_000;
const OUTPUT_KEPT = 20_000;

export interface ServerProcess {
  readonly pid: number;
  /** SIGTERM, and SIGKILL where that takes too long. @returns when it is gone */
  end(): Promise<void>;
}

export interface ServerOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Asked again and again until it is true. */
  up(): Promise<boolean>;
  /** Default 30 s. */
  upWithinMs?: number;
}

/** Starts a server and waits until it works. It stays in our process group, so that whoever ends us ends it, too. @throws with what it said last */
export async function startServer(
  command: string,
  args: readonly string[],
  { cwd, env, up, upWithinMs = UP_WITHIN_MS }: ServerOptions,
): Promise<ServerProcess> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const hear = (chunk: Buffer): void => void (said = (said + chunk.toString()).slice(-OUTPUT_KEPT));
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  child.once("error", (error) => (said += error.message));
  const until = performance.now() + upWithinMs;
  while (!(await up().catch(() => false))) {
    const why = isGone(child) ? "ended" : performance.now() > until ? `does not answer after ${upWithinMs / 1000} s` : "";
    if (why) {
      await end(child);
      throw new Error(`${command} ${why}:\n${said}`);
    }
    await delay(LOOK_EVERY_MS);
  }
  return { pid: child.pid ?? 0, end: async () => end(child) };
}

function isGone(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** With all that it started: the workers of `php -S` live on without it, and keep its port. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const workers = childProcesses(child.pid);
  const signal = (name: NodeJS.Signals): void => {
    for (const { pid } of stillAlive(workers)) process.kill(pid, name);
    if (!isGone(child)) child.kill(name);
  };
  const until = performance.now() + ENDS_WITHIN_MS;
  for (signal("SIGTERM"); !isGone(child) || stillAlive(workers).length > 0; await delay(LOOK_EVERY_MS)) {
    if (performance.now() > until) signal("SIGKILL");
  }
  for (const pipe of [child.stdout, child.stderr]) pipe?.destroy();
}

/** Whether anything answers there by HTTP. */
export async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(10_000) });
  await answer.body?.cancel();
  return answer.status < 500;
}

/** A loopback port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}
