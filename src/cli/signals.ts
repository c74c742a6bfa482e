import type { Log } from "../kit/log.ts";

/** A terminal sends Ctrl+C to the whole group, and npm and the launcher pass it on: within this time it is one and the same. */
const SAME_MS = 1000;

/**
 * Resolves with the exit code once the process is asked to end: Ctrl+C and SIGTERM once; the loss of a parent that holds
 * our IPC channel (a killed launcher must not leave us behind, holding the data folder). Asked a second time, it ends at once.
 */
export async function untilAsked(log: Log): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let askedAtMs = 0;
  const ask = (why: string, code: number): void => {
    if (askedAtMs === 0) {
      askedAtMs = performance.now();
      log.info(`${why}: finishing what must not be cut (once more to end at once)`);
      resolve(code);
    } else if (performance.now() - askedAtMs > SAME_MS && why !== GONE) {
      process.exit(code);
    }
  };
  process.on("SIGINT", () => ask("Ctrl+C", 130));
  process.on("SIGTERM", () => ask("SIGTERM", 0));
  process.on("SIGHUP", () => ask("the terminal is gone", 0));
  if (process.connected) process.once("disconnect", () => ask(GONE, 0));
  return promise;
}

const GONE = "the launcher is gone";
