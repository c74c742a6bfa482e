import type { Log } from "../kit/log.ts";
import { isCheck } from "./checks.ts";
import type { Ledger } from "./ledger.ts";
import type { Source } from "./source.ts";

/** The manager's lease lasts 15 minutes, and a person or a look may take longer: `/start` renews it. */
const EVERY_MS = 5 * 60_000;
const REST_MS = 30_000;

export interface KeepAliveOptions {
  ledger: Ledger;
  source: Source;
  log: Log;
  onCanceled(taskId: string, why: string): void;
  /** The same of one that is at work: it has to stop. */
  onLost(taskId: string, why: string): void;
}

/** One pass over what we hold. @returns how long to rest, ms */
export async function keepAlive({ ledger, source, log, onCanceled, onLost }: KeepAliveOptions): Promise<number> {
  if (source.once) return EVERY_MS;
  for (const task of await ledger.held([source.name])) {
    // Checks are renewed by being asked for.
    if (isCheck(task.data)) continue;
    // Not yet started: its first `/start` stands in the outbox.
    if (!task.renewed_at || ledger.now().getTime() - task.renewed_at.getTime() < EVERY_MS) continue;
    const answer = await source.deliver(task.id, { kind: "start" });
    if (answer.kind === "delivered")
      await ledger.db.updateTable("tasks").set({ renewed_at: ledger.now() }).where("id", "=", task.id).execute();
    if (answer.kind !== "final") continue;
    // Gone, over, or somebody else's since our lease ran out.
    if (await ledger.cancel(task.id, answer.why)) {
      log.info(`given up: ${answer.why}`, { task: task.id });
      onCanceled(task.id, answer.why);
    } else onLost(task.id, answer.why);
  }
  return REST_MS;
}
