import type { Log } from "../kit/log.ts";

/**
 * Resolves with the exit code once the process is asked to end: Ctrl+C and SIGTERM once; the loss of a parent that holds
 * our IPC channel (a killed launcher must not leave us behind, holding the data folder). A second signal ends at once.
 */
export async function untilAsked(log: Log): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let asked = false;
  const ask = (why: string, code: number): void => {
    if (asked && why !== "the launcher is gone") process.exit(code);
    if (!asked) log.info(`${why}: finishing what must not be cut (once more to end at once)`);
    asked = true;
    resolve(code);
  };
  process.on("SIGINT", () => ask("Ctrl+C", 130));
  process.on("SIGTERM", () => ask("SIGTERM", 0));
  process.on("SIGHUP", () => ask("the terminal is gone", 0));
  if (process.connected) process.once("disconnect", () => ask("the launcher is gone", 0));
  return promise;
}
