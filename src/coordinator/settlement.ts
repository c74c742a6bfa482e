import type { Job } from "../store/queue.ts";
import { isCheck, judgeCheck } from "./checks.ts";
import { judgeTask, type Ending, type Judgement } from "./decide.ts";
import { release } from "./episodes.ts";
import { isImport } from "./imports.ts";
import type { LedgerParts } from "./ledger-parts.ts";
import { enqueueReports } from "./outbox.ts";
import { freeSlot } from "./site-slots.ts";
import { insertStop } from "./stopped-accounts.ts";
import { heldTaskStates, type Database, type TaskRow } from "./tables.ts";
import { episodesOf, giveUpEpisodes, moveTask } from "./tasks.ts";

/**
 * The end of a run: claims are released (armed ones become doubt), the task is judged, its reports are written and its job
 * goes back to the queue, all in one transaction.
 * @returns null when the job is somebody else's by now; then they judge
 */
export async function settle(
  parts: LedgerParts,
  taskId: string,
  job: Job,
  ending: Ending,
  {
    fallbackLink,
    rehearsal,
    isOver = false,
    triedWith,
  }: {
    fallbackLink: string;
    rehearsal: boolean;
    /** A rehearsal that nobody takes up again. */
    isOver?: boolean;
    /** The sealed credentials that the run had. */
    triedWith?: string;
  },
): Promise<Judgement | null> {
  const { db, queue, vault, sessions, hand, flush } = parts;
  const { now, holder } = hand();
  const row = await db.selectFrom("tasks").selectAll().where("id", "=", taskId).executeTakeFirst();
  if (!row) return null;
  const cookie = await sessions.cookie(row.account_key);
  const judgement = await db.transaction().execute(async (trx) => {
    const truth = await judge(parts, trx, row, ending, { cookie, fallbackLink, holder, triedWith });
    // A rehearsal leaves nothing behind: neither a report nor a job.
    const judged: Judgement = rehearsal
      ? { ...truth, state: isOver ? "canceled" : "waiting", reports: [], againMs: null, failure: ending.failure }
      : truth;
    await freeSlot(trx, taskId, holder);
    const mine =
      judged.againMs === null
        ? await queue.done(job, { trx: trx as never })
        : await queue.giveBack(job, { afterMs: judged.againMs, priority: row.priority }, { trx: trx as never });
    if (!mine) return null;
    await apply(trx, row.id, judged, now);
    // More sign-ins from here would only look more suspicious.
    if (!rehearsal && ending.failure?.code === "account.challenged" && !ending.withheld) await insertStop(trx, row, ending.failure, now);
    await enqueueReports(trx, taskId, judged.reports, now, vault);
    return judged;
  });
  await flush();
  return judgement;
}

async function judge(
  { hand, random }: LedgerParts,
  trx: Database,
  row: TaskRow,
  ending: Ending,
  of: {
    cookie: string;
    fallbackLink: string;
    /** null: whoever held them is dead. */ holder: string | null;
    triedWith?: string | undefined;
  },
): Promise<Judgement> {
  const { now } = hand();
  const { holder: mine, triedWith, ...links } = of;
  for (const { episode_id, holder } of await episodesOf(trx, row)) {
    if (holder !== null && (mine === null || holder === mine))
      await release(
        trx,
        { accountKey: row.account_key, episodeId: episode_id },
        hand(),
        ending.failure?.detail || "the run ended between the click and its outcome",
      );
  }
  const deaths = row.worker_deaths + (ending.kind === "died" ? 1 : 0);
  const fresh = await trx
    .updateTable("tasks")
    .set({ worker_deaths: deaths })
    .where("id", "=", row.id)
    .returning(["link_rss", "tries", "sealed_credentials", "failure", "created_at"])
    .executeTakeFirstOrThrow();
  if (isCheck(row.data)) {
    const changed = triedWith !== undefined && triedWith !== fresh.sealed_credentials;
    const moved = fresh.failure?.code === "task.canceled";
    const view = { workerDeaths: deaths, tries: fresh.tries, changed, moved, since: fresh.created_at, last: fresh.failure };
    return judgeCheck(view, ending, now, random);
  }
  const rows = await episodesOf(trx, row);
  const judged = judgeTask(
    { episodes: rows, isImport: isImport(row.data), linkRss: fresh.link_rss, workerDeaths: deaths, tries: fresh.tries, ...links },
    ending,
    now,
    random,
  );
  if (judged.state === "canceled" || judged.state === "failed") await giveUpEpisodes(trx, row, judged.state, judged.failure, now);
  return judged;
}

async function apply(trx: Database, taskId: string, judged: Judgement, now: Date): Promise<void> {
  const notBefore = judged.againMs ? new Date(now.getTime() + judged.againMs) : null;
  await moveTask(trx, taskId, now, {
    from: ["running"],
    to: judged.state,
    set: {
      tries: judged.tries,
      waits_for: judged.waitsFor,
      not_before: notBefore,
      failure: judged.failure && JSON.stringify(judged.failure),
    },
  });
}

/** A task that a dead holder left claimed or running: its claims are released. @returns when it may run again, null when it was not in anybody's hands */
export async function adopt(parts: LedgerParts, taskId: string): Promise<Judgement | null> {
  const { now } = parts.hand();
  return parts.db.transaction().execute(async (trx) => {
    const row = await trx.selectFrom("tasks").selectAll().where("id", "=", taskId).forUpdate().executeTakeFirst();
    if (!row || !heldTaskStates.includes(row.state)) return null;
    await trx.updateTable("site_slots").set({ holder: null, task_id: null, lease_until: null }).where("task_id", "=", taskId).execute();
    if (row.state === "claimed") await moveTask(trx, taskId, now, { from: ["claimed"], to: "running" });
    const judged = await judge(
      parts,
      trx,
      row,
      { kind: "stopped", failure: { code: "farm.stopping", detail: "the farm died between the click and its outcome" }, retryAt: null },
      { cookie: "", fallbackLink: "", holder: null },
    );
    // A task whose last episode was posted still has its feed to be read: that is for a run, so it is open again.
    const isMeant = judged.state === "unsure" || judged.state === "canceled";
    const open: Judgement = isMeant ? judged : { ...judged, state: "waiting", reports: [], againMs: 0 };
    await apply(trx, taskId, open, now);
    return open;
  });
}
