import type { Log } from "../kit/log.ts";
import type { Queue } from "../store/queue.ts";
import { hasPending } from "./outbox.ts";
import type { Ledger } from "./ledger.ts";

export interface RecoverOptions {
  ledger: Ledger;
  queue: Queue;
  source: string;
  /** The data folder is ours alone: every claim in it is a dead predecessor's. */
  sole: boolean;
  log: Log;
}

/**
 * At start: what a dead farm held is free again, except what it had armed, which is in doubt. With other farms on the same
 * database nothing is taken from them here; the queue hands a dead one's tasks over when its heartbeat stops.
 */
export async function recover({ ledger, queue, source, sole, log }: RecoverOptions): Promise<void> {
  const freed = await queue.recoverDead();
  const held = await ledger.held(source);
  if (sole) {
    for (const task of held) {
      const adopted = await ledger.adopt(task.id);
      if (adopted)
        log.info(`taken over from a farm that died: ${adopted.state}${adopted.waitsFor ? `, ${adopted.waitsFor}` : ""}`, { task: task.id });
    }
    if (freed > 0) log.debug(`${freed} jobs of a dead farm are free again`);
  }
  await resend({ ledger, queue, source, log });
}

/** A task that should run some time stands in the queue; one that does not (a restored backup) is put there. */
async function resend({ ledger, queue, source, log }: Omit<RecoverOptions, "sole">): Promise<void> {
  const queued = new Set(await queue.pending());
  for (const task of await ledger.held(source)) {
    if (queued.has(task.id) || (task.state !== "waiting" && task.state !== "unsure")) continue;
    if (await hasPending(ledger.db, task.id)) continue;
    await queue.send({
      id: task.id,
      accountKey: task.account_key,
      priority: task.priority,
      ...(task.not_before && { startAfter: task.not_before }),
    });
    log.debug("put back into the queue", { task: task.id });
  }
}
