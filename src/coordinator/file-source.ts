import { readFile, rename, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { workerTask, type Report, type WorkerTask } from "../contract/worker-api.ts";
import { UsageError } from "../kit/config.ts";
import { readJsonText } from "../kit/json-text.ts";
import type { Source } from "./source.ts";

/** What became of one task of a file; the file beside it holds one of these a task id. */
export interface FileResult {
  status: "running" | "completed" | "failed";
  link_post?: string;
  links?: Record<string, string>;
  link_rss?: string;
  error_message?: string;
  code?: string;
}

/**
 * Tasks from a file in the worker API's shape: one, a list, or an answer of `/links`. Results go to `FILE.result.json`,
 * written whole or not at all.
 * @throws UsageError with all problems of the file at once
 */
export async function createFileSource(path: string): Promise<Source & { resultPath: string; taskIds: string[] }> {
  const file = resolve(path);
  const tasks = new Map((await readTasks(file)).map((task) => [task.id, task]));
  const resultPath = `${file.replace(/\.json$/, "")}.result.json`;
  const results = await readResults(resultPath);
  let writing = Promise.resolve();
  let pulled = false;

  async function write(): Promise<void> {
    const turn = writing.then(async () => {
      const aside = `${resultPath}.${process.pid}.part`;
      await writeFile(aside, `${JSON.stringify(results, null, 2)}\n`, { mode: 0o600, flush: true });
      await rename(aside, resultPath);
    });
    writing = turn.catch(() => undefined);
    return turn;
  }

  return {
    name: `file:${file}`,
    once: true,
    resultPath,
    taskIds: [...tasks.keys()],
    async pull() {
      if (pulled) return { kind: "tasks", tasks: [], broken: [] };
      pulled = true;
      // Both kinds at once: the file says of each what it is.
      return { kind: "tasks", tasks: [...tasks.values()], broken: [] };
    },
    async read(taskId) {
      const task = tasks.get(taskId);
      return task ? { kind: "task", task: { ...task, status: "running" } } : { kind: "gone" };
    },
    async deliver(taskId, report) {
      if (report.kind === "check") return { kind: "final", why: "a file orders no checks", gone: true };
      results[taskId] = merge(results[taskId], report);
      try {
        await write();
        return { kind: "delivered" };
      } catch (error) {
        return { kind: "again", why: `${resultPath} can't be written (${(error as NodeJS.ErrnoException).code})`, retryAfterMs: null };
      }
    },
  };
}

function merge(known: FileResult | undefined, report: Exclude<Report, { kind: "check" }>): FileResult {
  switch (report.kind) {
    case "start":
      return { status: "running" };
    case "complete":
      return {
        ...known,
        status: "completed",
        link_post: report.link_post,
        ...(report.note && { links: JSON.parse(report.note) as Record<string, string> }),
      };
    case "account":
      return { status: "completed", ...known, ...(report.link_rss && { link_rss: report.link_rss }) };
    case "fail":
      return { ...known, status: "failed", error_message: report.error_message, code: report.code };
  }
}

async function readResults(path: string): Promise<Record<string, FileResult>> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Record<string, FileResult>;
  } catch {
    // None yet, or not ours: the next report writes a whole one.
    return {};
  }
}

async function readTasks(file: string): Promise<WorkerTask[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The task file ${file} can't be read (${error.code}).`);
  });
  const content = readJsonText(`The task file ${file}`, text);
  const wrapped = typeof content === "object" && content !== null && "data" in content ? content.data : content;
  const items: unknown[] = Array.isArray(wrapped) ? wrapped : [wrapped];
  const problems: string[] = [];
  const tasks = items.flatMap((item, index) => {
    const parsed = workerTask.safeParse(typeof item === "object" && item !== null ? { status: "queued", ...item } : item);
    // A check is a manager's to order.
    if (parsed.success) return [parsed.data.kind === "check" ? { ...parsed.data, kind: undefined } : parsed.data];
    problems.push(...parsed.error.issues.map((issue) => `  task ${index + 1}, ${issue.path.join(".") || "itself"}: ${issue.message}`));
    return [];
  });
  if (tasks.length === 0 && problems.length === 0) problems.push("  there is no task in it");
  if (problems.length > 0)
    throw new UsageError(
      `The task file ${file} has problems:\n${problems.join("\n")}\nA task looks as in the worker API: {"id", "domain", "email", "password", "twofa", "data_content": [{"id", "title", "about", "image_url"}]}; a feed to import: {"kind": "secondary", "link_rss"} in place of the content.`,
    );
  return tasks;
}
