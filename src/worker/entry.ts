import { isMainThread, type MessagePort } from "node:worker_threads";
import type { AssignmentResult, DriverCard } from "../contract/task.ts";
import { Browsers } from "./browsers.ts";
import { describeDrivers } from "./load-driver.ts";
import { runAssignment } from "./run.ts";
import { runScript, type ScriptOrder } from "./run-script.ts";

/** What a worker thread can be asked. One browser serves all tasks of the thread. */
const browsers = new Browsers();

export async function describe({
  modules,
}: {
  modules: string[];
}): Promise<{ cards: DriverCard[]; problems: { module: string; message: string }[] }> {
  return describeDrivers(modules);
}

export async function script(order: ScriptOrder): ReturnType<typeof runScript> {
  return runScript(order);
}

/** @param port transferred; the coordinator's calls go over it and it is closed at the end */
export async function run({ assignment, port }: { assignment: unknown; port: MessagePort }): Promise<AssignmentResult> {
  return runAssignment(assignment, port, browsers);
}

/** Before the thread is ended: a browser that outlives its thread leaves folders behind. */
export async function closeBrowser(): Promise<void> {
  await browsers.close();
}

/** A browser that does not close in this time goes by its pipe. */
const CLOSE_WITHIN_MS = 8000;

/**
 * Only the thread that started a browser can take its entry from the system once it has ended: a thread that goes first
 * leaves a zombie for as long as the farm lives. So the browser goes first, also when a driver ends its thread.
 */
function endInOrder(): void {
  const exit = process.exit.bind(process);
  let ending = false;
  const end = (code: number): void => {
    if (ending) return;
    ending = true;
    setTimeout(() => exit(code), CLOSE_WITHIN_MS).unref();
    void browsers.end().finally(() => exit(code));
  };
  process.exit = (code) => {
    end(Number(code ?? 0));
    throw new Error("a driver ended its thread by process.exit()");
  };
  process.on("uncaughtException", (error) => {
    process.stderr.write(`an error that nobody caught ends a worker thread: ${error.stack ?? error.message}\n`);
    end(1);
  });
}

if (!isMainThread) endInOrder();
