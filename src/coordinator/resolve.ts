import { z } from "zod";
import type { Queue } from "../store/queue.ts";
import { moveEpisode } from "./episodes.ts";
import type { Ledger } from "./ledger.ts";
import { isOf } from "./stopped-accounts.ts";
import type { Database, TaskRow } from "./tables.ts";
import { episodesOf, moveTask } from "./tasks.ts";

/** What a person saw on the site. Without an episode: the account works again, go on. */
export const resolution = z
  .object({
    task: z.string().min(1),
    episode: z.string().min(1).optional(),
    posted: z.url({ protocol: /^https?$/ }).optional(),
    absent: z.literal(true).optional(),
  })
  .refine(
    (value) => value.episode === undefined || (value.posted === undefined) !== (value.absent === undefined),
    'an episode needs exactly one of "posted" (its URL) and "absent" (true)',
  );
export type Resolution = z.infer<typeof resolution>;

/**
 * A person's word is a fact. "Absent" also clears the count of tries: the farm may post again.
 * @returns null when done, else why not
 */
export async function resolve(ledger: Ledger, queue: Queue, word: Resolution): Promise<string | null> {
  const task = await ledger.task(word.task);
  if (!task) return `there is no task ${word.task}`;
  const now = ledger.now();
  const refusal = await ledger.db.transaction().execute(async (trx) => {
    if (word.episode !== undefined) {
      const key = { accountKey: task.account_key, episodeId: word.episode };
      const moved = word.posted
        ? await moveEpisode(trx, key, now, {
            from: ["needs_person", "doubt"],
            to: "posted",
            set: { link: word.posted, failure: null, due: null, holder: null, lease_until: null },
          })
        : await moveEpisode(trx, key, now, { from: ["needs_person"], to: "waiting", set: { attempts: 0, failure: null, due: null } });
      if (!moved) return `episode ${word.episode} of task ${word.task} does not wait for a person`;
    }
    const freed = word.episode === undefined && (await freeAccount(trx, queue, task, now));
    const moved = await goOn(trx, queue, task, now);
    return moved || freed || word.episode !== undefined ? null : `task ${word.task} does not wait for a person`;
  });
  await ledger.flush();
  return refusal;
}

/** @returns false when the task does not wait for a person, or for one more word on an episode */
async function goOn(trx: Database, queue: Queue, task: TaskRow, now: Date): Promise<boolean> {
  if ((await episodesOf(trx, task)).some((episode) => episode.state === "needs_person")) return false;
  const moved = await moveTask(trx, task.id, now, {
    from: ["needs_person"],
    to: "waiting",
    set: { failure: null, waits_for: "", tries: 0 },
  });
  if (moved) await queue.send({ id: task.id, accountKey: task.account_key, priority: task.priority }, { trx: trx as never });
  return moved !== null;
}

/** The account was stopped by a broken promise: a person has looked, so all that waited for that goes on, whoever else has its login. */
async function freeAccount(trx: Database, queue: Queue, { account_key, login_key }: TaskRow, now: Date): Promise<boolean> {
  const who = { account_key, login_key };
  const stops = await trx.deleteFrom("stopped_accounts").where(isOf(who)).returning("failure").execute();
  if (stops.length === 0) return false;
  const held = await trx.selectFrom("tasks").selectAll().where(isOf(who)).where("state", "=", "needs_person").execute();
  for (const task of held) if (stops.some(({ failure }) => task.failure?.code === failure.code)) await goOn(trx, queue, task, now);
  return true;
}
