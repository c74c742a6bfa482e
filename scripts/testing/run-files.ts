import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestMessage } from "./messages.ts";

export interface TestResult {
  file: string;
  name: string;
  outcome: "passed" | "failed" | "skipped";
  ms: number;
  /** The error in full, or the reason of a skip. */
  detail: string;
}

export interface RunOutcome {
  results: TestResult[];
  /** What the process printed. */
  output: string;
  notes: string[];
  /** False when the process was killed or died before its last test. */
  complete: boolean;
}

const OUTPUT_KEPT = 256 * 1024;
const GRACE_MS = 5000;
const running = new Set<ChildProcess>();

/** Ends every process group that is still there. */
export function endAll(): void {
  for (const child of running) killGroup(child);
}

function killGroup(child: ChildProcess): boolean {
  try {
    return Boolean(child.pid) && process.kill(-(child.pid as number), "SIGKILL");
  } catch {
    return false;
  }
}

/**
 * Runs test files in one process, a process group of its own.
 * @param limitMs so long may pass without any test beginning or ending; then the group is killed and the test named
 * @param onResult called as results come in
 * @param onOutput what the process prints, as it does
 */
export async function runFiles(
  files: readonly string[],
  limitMs: number,
  onResult: (result: TestResult) => void = () => {},
  onOutput: (text: string) => void = () => {},
): Promise<RunOutcome> {
  const outcome: RunOutcome = { results: [], output: "", notes: [], complete: false };
  const child = fork(fileURLToPath(new URL("child.ts", import.meta.url)), [...files], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  running.add(child);
  let under: { file: string; name: string } = { file: files[0] ?? "", name: "(loading)" };
  let ended = false;
  const add = (result: TestResult): void => {
    outcome.results.push(result);
    onResult(result);
  };
  let timer: NodeJS.Timeout;
  const watch = (): void => {
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        if (!ended)
          add({
            ...under,
            outcome: "failed",
            ms: limitMs,
            detail: `Nothing happened for ${limitMs / 1000} s; the process and all it started were killed.`,
          });
        ended = true;
        killGroup(child);
      },
      ended ? GRACE_MS : limitMs,
    );
  };
  watch();
  child.on("message", (message: TestMessage) => {
    if (message.kind === "begin") under = { file: message.file, name: message.name };
    if (message.kind === "result")
      add({ file: message.file, name: message.name, outcome: message.outcome, ms: message.ms, detail: message.detail });
    if (message.kind === "lingering")
      outcome.notes.push(
        `${files.length === 1 ? files[0] : "the unit tests"}: something kept the process alive after the last test: ${message.holds.join(", ") || "a timer"}`,
      );
    if (message.kind === "end") ended = outcome.complete = true;
    watch();
  });
  const hear = (chunk: Buffer): void => {
    outcome.output = (outcome.output + chunk.toString()).slice(-OUTPUT_KEPT);
    onOutput(chunk.toString());
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  const { promise, resolve } = Promise.withResolvers<string>();
  child.once("error", (error) => resolve(error.message));
  child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  const how = await promise;
  clearTimeout(timer!);
  if (!ended)
    add({ ...under, outcome: "failed", ms: 0, detail: `The test process ended in the middle (${how}).\n${outcome.output.slice(-4000)}` });
  for (const file of outcome.complete ? files : []) {
    if (!outcome.results.some((result) => result.file === file))
      add({ file, name: "(the file)", outcome: "failed", ms: 0, detail: "It holds no test." });
  }
  if (killGroup(child)) outcome.notes.push(`${files.length === 1 ? files[0] : "the unit tests"}: left processes running; they were killed`);
  running.delete(child);
  return outcome;
}
