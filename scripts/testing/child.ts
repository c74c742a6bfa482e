import { fileURLToPath } from "node:url";
import { run, type EventData } from "node:test";
import { inspect, stripVTControlCharacters } from "node:util";
import type { TestMessage } from "./messages.ts";

/** Runs the test files given as arguments in this one process, and tells the parent over IPC. */
const LINGER_MS = 3000;
const filesToCome = new Set(process.argv.slice(2));
const names: string[] = [];
let failed = false;

function tell(message: TestMessage): void {
  process.send?.(message);
}

/** The names above a test are the last ones begun at lower nesting; the outermost is its file (collect.ts). */
function place(data: { name: string; nesting: number }): { file: string; name: string } {
  names.length = data.nesting;
  names[data.nesting] = data.name;
  const [file = "", ...path] = names;
  return { file, name: path.join(" > ") || "(the file)" };
}

function sayError(error: unknown): string {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return stripVTControlCharacters(inspect(cause, { depth: 6 }));
}

function onComplete(data: EventData.TestComplete): void {
  const { file, name } = place(data);
  const {
    type,
    error,
    passed,
    duration_ms: ms,
  } = data.details as { type?: string; error?: Error & { failureType?: string }; passed: boolean; duration_ms: number };
  // A suite fails with its tests; alone it fails by its hooks or while it loads, and then it is news.
  if (type !== "suite" || (!passed && error?.failureType !== "subtestsFailed")) {
    const reason = data.skip ?? data.todo;
    const left = reason !== undefined && reason !== false;
    const outcome = left ? "skipped" : passed ? "passed" : "failed";
    failed ||= outcome === "failed";
    tell({
      kind: "result",
      file,
      name,
      outcome,
      ms,
      detail: outcome === "failed" ? sayError(error) : typeof reason === "string" ? reason : "",
    });
  }
  if (data.nesting === 0 && filesToCome.delete(file) && filesToCome.size === 0) finish();
}

/** Nothing may be left that keeps a process alive; what does is named, then cut. */
function finish(): void {
  tell({ kind: "end" });
  process.exitCode = failed ? 1 : 0;
  setTimeout(() => {
    tell({ kind: "lingering", holds: process.getActiveResourcesInfo().filter((name) => !["PipeWrap", "Pipe"].includes(name)) });
    setImmediate(() => process.exit());
  }, LINGER_MS).unref();
}

const stream = run({ files: [fileURLToPath(new URL("collect.ts", import.meta.url))], isolation: "none" });
stream.on("test:dequeue", (data) => tell({ kind: "begin", ...place(data) }));
stream.on("test:complete", onComplete);
stream.resume();
process.once("disconnect", () => process.exit(1));
process.channel?.unref();
