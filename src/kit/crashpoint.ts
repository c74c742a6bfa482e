import { writeSync } from "node:fs";
import { threadId } from "node:worker_threads";

/**
 * Named places at which a process can be made to die, as by `kill -9`, so that a test can put a crash between any two steps
 * of the protocol. `PODCREW_CRASHPOINT=after-arm` dies there at the first time, `after-arm:3` at the third. Without the
 * variable a crash point is an empty function; the built package has none (scripts/build.ts takes the calls out).
 */
export type CrashPoint = (typeof crashPoints)[number];

export const crashPoints = [
  // The farm's main thread, in the order of a task's life.
  "pulled",
  "admitted",
  "start-delivered",
  "job-taken",
  "begun",
  "claimed",
  "looked",
  "ready",
  "draft-kept",
  "before-arm",
  "armed-unflushed",
  "after-arm",
  "gate-asked",
  "gate-passed",
  "proof-heard",
  "posted",
  "doubt-written",
  "look-opened",
  "submit-counted",
  "code-taken",
  "session-saved",
  "feed-written",
  "before-settle",
  "outbox-written",
  "outbox-sending",
  "outbox-answered",
  "outbox-acknowledged",
  "shutdown",
  // The worker thread.
  "signing-in",
  "upload-begun",
  "form-filled",
  "request-held",
  "bytes-sent",
  "reply-headers",
  "reply-parsed",
  "feed-read",
] as const;

const asked = /^([a-z-]+)(?::(\d+))?$/.exec(process.env["PODCREW_CRASHPOINT"] ?? "");
let left = Number(asked?.[2] ?? 1);

/** Dies here when the environment says so. Threads count their own passes. */
export function crashpoint(name: CrashPoint): void {
  if (asked?.[1] !== name) return;
  left -= 1;
  if (left > 0) return;
  // A thread's own stream goes by the main thread, and would come too late.
  writeSync(2, `crash point ${name}, thread ${threadId}\n`);
  process.kill(process.pid, "SIGKILL");
}
