import type { Log } from "../kit/log.ts";
import type { Queue } from "../store/queue.ts";
import { hasPending } from "./outbox.ts";
import type { Ledger } from "./ledger.ts";
import type { TaskRow } from "./tables.ts";

export interface RecoverOptions {
  ledger: Ledger;
  queue: Queue;
  /** All that this farm works for. */
  sources: readonly string[];
  /** The data folder is ours alone: every claim in it is a dead predecessor's. */
  sole: boolean;
  log: Log;
}

/**
 * At start: what a dead farm held is free again, except what it had armed, which is in doubt. With other farms on the same
 * database nothing is taken from them here; the queue hands a dead one's tasks over when its heartbeat stops.
 */
export async function recover({ ledger, queue, sources, sole, log }: RecoverOptions): Promise<void> {
  const freed = await queue.recoverDead();
  const held = await ledger.held(sources);
  if (sole) {
    for (const task of held) {
      const adopted = await ledger.adopt(task.id);
      if (adopted)
        log.info(`taken over from a farm that died: ${adopted.state}${adopted.waitsFor ? `, ${adopted.waitsFor}` : ""}`, { task: task.id });
    }
    if (freed > 0) log.debug(`${freed} jobs of a dead farm are free again`);
  }
  for (const task of await adrift({ ledger, queue, sources })) {
    await putBack(queue, task);
    log.debug("put back into the queue", { task: task.id });
  }
}

/** Tasks that should run some time and stand nowhere in the queue (a restored backup, a broken promise). */
async function adrift({ ledger, queue, sources }: Pick<RecoverOptions, "ledger" | "queue" | "sources">): Promise<TaskRow[]> {
  const held = (await ledger.held(sources)).filter((task) => task.state === "waiting" || task.state === "unsure");
  const queued = new Set(held.length > 0 ? await queue.pending() : []);
  const lost: TaskRow[] = [];
  for (const task of held) if (!queued.has(task.id) && !(await hasPending(ledger.db, task.id))) lost.push(task);
  return lost;
}

/**
 * Every task reaches its end in bounded time: one that was seen adrift twice in a row is put back, loudly, since no step of
 * ours leaves one there.
 */
export class LimboWatch {
  readonly #o: Omit<RecoverOptions, "sole">;
  #suspects: ReadonlySet<string> = new Set();

  constructor(options: Omit<RecoverOptions, "sole">) {
    this.#o = options;
  }

  async look(): Promise<void> {
    const lost = await adrift(this.#o);
    for (const task of lost.filter(({ id }) => this.#suspects.has(id))) {
      await putBack(this.#o.queue, task);
      this.#o.log.error("INVARIANT BROKEN: the task stood in no queue; it was put back", { task: task.id });
    }
    this.#suspects = new Set(lost.map(({ id }) => id));
  }
}

async function putBack(queue: Queue, task: TaskRow): Promise<void> {
  await queue.send({
    id: task.id,
    accountKey: task.account_key,
    priority: task.priority,
    ...(task.not_before && { startAfter: task.not_before }),
  });
}
