import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import type { TestContext } from "node:test";

const entry = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** A podcrew command as a user runs it: its own process, its own environment. */
export interface RunningPodcrew {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Waits until what it printed matches. */
  says(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  /** Exit code, or the signal's name. */
  ended(withinMs?: number): Promise<number | string>;
}

const CLEAN = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /^(PATH|HOME|LANG|LC_ALL|TMPDIR|DISPLAY|LD_LIBRARY_PATH|PODCREW_BROWSER)$/.test(name)),
);

export interface PodcrewOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Runs it by another command, e.g. xvfb-run. */
  through?: string[];
}

/** Ended with SIGKILL at the test's end if it still lives. */
export function podcrew(t: TestContext, args: readonly string[], { env = {}, cwd, through = [] }: PodcrewOptions = {}): RunningPodcrew {
  const [command, ...before] = [...through, process.execPath];
  const child = spawn(command ?? process.execPath, [...before, entry, ...args], {
    env: { ...CLEAN, LOG_FORMAT: "json", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd && { cwd }),
  });
  let out = "";
  let err = "";
  let changed = Promise.withResolvers<void>();
  const change = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    change();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
    change();
  });
  // Later than the exit: what it said last has arrived by then.
  let isOver = false;
  const closed = once(child, "close").then(() => {
    isOver = true;
    change();
  });
  t.after(async () => {
    child.kill("SIGKILL");
    await closed;
  });
  const tail = (): string => `--- stdout\n${out.slice(-2000)}\n--- stderr\n${err.slice(-4000)}`;
  const ended = async (withinMs = 60_000): Promise<number | string> => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`podcrew ${args.join(" ")} did not end within ${withinMs} ms\n${tail()}`)),
      withinMs,
    );
    await Promise.race([closed, late.promise]).finally(() => clearTimeout(timer));
    return child.exitCode ?? child.signalCode ?? "?";
  };
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    ended,
    async says(pattern, withinMs = 60_000) {
      const deadline = Date.now() + withinMs;
      const timer = setTimeout(change, withinMs);
      t.after(() => clearTimeout(timer));
      for (;;) {
        const match = pattern.exec(out) ?? pattern.exec(err);
        if (match) return match;
        if (isOver)
          throw new Error(
            `podcrew ${args.join(" ")} ended with ${child.exitCode ?? child.signalCode} and never said ${pattern}\n${tail()}`,
          );
        if (Date.now() >= deadline) throw new Error(`podcrew ${args.join(" ")} did not say ${pattern} within ${withinMs} ms\n${tail()}`);
        await changed.promise;
      }
    },
  };
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map(async (server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The environment for a whole podcrew of one's own. */
export async function ownPorts(dataDir: string): Promise<Record<string, string>> {
  const [manager, studio, task] = await freePorts(3);
  return { PODCREW_DATA: dataDir, MANAGER_PORT: String(manager), STUDIO_PORT: String(studio), TASK_PORT: String(task) };
}
