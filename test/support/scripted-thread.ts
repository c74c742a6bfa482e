import type { MessagePort } from "node:worker_threads";
import { createBirpc } from "birpc";
import type { Assignment, AssignmentResult, CoordinatorCalls, WorkerCalls } from "../../src/contract/task.ts";

/** A worker module without a browser: what a task does is written in its account's user name. */
export async function describe({ modules }: { modules: string[] }): Promise<unknown> {
  return { cards: [], problems: modules.map((module) => ({ module, message: `TMPDIR is ${process.env["TMPDIR"]}` })) };
}

export async function run({ assignment, port }: { assignment: Assignment; port: MessagePort }): Promise<AssignmentResult> {
  const canceled = Promise.withResolvers<string>();
  const calls = createBirpc<CoordinatorCalls, WorkerCalls>(
    { cancel: canceled.resolve, ping: () => undefined },
    { post: (data: unknown) => port.postMessage(data), on: (listener) => void port.on("message", listener) },
  );
  await calls.step.asEvent("begin", String((await import("node:worker_threads")).threadId));
  try {
    switch (assignment.credentials.username) {
      case "exit":
        setImmediate(() => process.exit(7));
        return await new Promise(() => undefined);
      case "until-canceled":
        return { outcome: "failed", failure: { code: "task.canceled", detail: await canceled.promise } };
      case "hang":
        for (;;);
      default:
        return { outcome: (await calls.next()).kind === "stop" ? "stopped" : "done" };
    }
  } finally {
    port.close();
  }
}

export async function closeBrowser(): Promise<void> {}
