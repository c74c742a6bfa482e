import type { MessagePort } from "node:worker_threads";
import type { AssignmentResult, DriverCard } from "../contract/task.ts";
import { Browsers } from "./browsers.ts";
import { describeDrivers } from "./load-driver.ts";
import { runAssignment } from "./run.ts";

/** What a worker thread can be asked. One browser serves all tasks of the thread. */
const browsers = new Browsers();

export async function describe({
  modules,
}: {
  modules: string[];
}): Promise<{ cards: DriverCard[]; problems: { module: string; message: string }[] }> {
  return describeDrivers(modules);
}

/** @param port transferred; the coordinator's calls go over it and it is closed at the end */
export async function run({ assignment, port }: { assignment: unknown; port: MessagePort }): Promise<AssignmentResult> {
  return runAssignment(assignment, port, browsers);
}

/** Before the thread is ended: a browser that outlives its thread leaves folders behind. */
export async function closeBrowser(): Promise<void> {
  await browsers.close();
}
