import { z } from "zod";
import type { FailureData } from "../contract/failures.ts";
import { browserState, type BrowserState } from "../contract/task.ts";
import type { Queue } from "../store/queue.ts";
import type { Ledger } from "./ledger.ts";
import { resolve } from "./resolve.ts";
import type { TaskRow } from "./tables.ts";

/** What a person needs to go on where the browser was stopped. Secret: whoever has it is signed in. */
export interface HandOver {
  account: string;
  site: string;
  origin: string;
  /** Where the browser stood; null: not known. */
  page: string | null;
  /** null: there is no session, the person signs in from the start. */
  state: BrowserState | null;
  /** Why it was stopped. */
  failure: FailureData | null;
}

export const handedBack = z.object({ task: z.string().min(1), state: browserState });

/** @returns why not, as text */
export async function handOver(ledger: Ledger, taskId: string, originOf: (host: string) => string | null): Promise<HandOver | string> {
  const task = await ledger.task(taskId);
  if (!task) return `there is no task ${taskId}`;
  const { accountKey, failure } = await stopOf(ledger, task);
  // What else an account is stopped for is not cleared by a visit to the site.
  if (failure?.code !== "account.challenged") return `task ${taskId} does not wait for a person in a browser`;
  const origin = originOf(task.host);
  if (origin === null) return `there is no driver for ${task.host}`;
  return {
    account: task.account_name,
    site: task.site,
    origin,
    page: await ledger.sessions.stoppedAt(accountKey),
    state: await ledger.sessions.load(accountKey),
    failure,
  };
}

/** Where the site asked for the person: a task may wait for another source's account with the same login. */
async function stopOf(ledger: Ledger, task: TaskRow): Promise<{ accountKey: string; failure: FailureData | null }> {
  return (await ledger.stopOf(task)) ?? { accountKey: task.account_key, failure: task.failure };
}

/** The session as the person left it is the account's from now on, and what waited for them goes on. @returns null when done, else why not */
export async function takeBack(
  ledger: Ledger,
  queue: Queue,
  { task: taskId, state }: z.output<typeof handedBack>,
  originOf: (host: string) => string | null,
): Promise<string | null> {
  const found = await handOver(ledger, taskId, originOf);
  if (typeof found === "string") return found;
  const task = await ledger.task(taskId);
  if (!task) return `there is no task ${taskId}`;
  const { accountKey } = await stopOf(ledger, task);
  await ledger.sessions.save(accountKey, state, cookieFor(state, found.origin), ledger.now(), { kind: "begun" });
  return resolve(ledger, queue, { task: taskId });
}

const cookie = z.object({ name: z.string(), value: z.string(), domain: z.string() });

/** `k=v; k2=v2`, as the site's host would be sent them. */
function cookieFor(state: BrowserState, origin: string): string {
  const host = new URL(origin).hostname;
  return state.cookies
    .flatMap((one) => cookie.safeParse(one).data ?? [])
    .filter(({ domain }) => host === domain.replace(/^\./, "") || (domain.startsWith(".") && host.endsWith(domain)))
    .map(({ name, value }) => `${name}=${value}`)
    .join("; ");
}
