import { Failure } from "../contract/failures.ts";
import type { WorkerTask } from "../contract/worker-api.ts";
import type { Vault } from "../store/vault.ts";
import { completion } from "./decide.ts";
import { moveEpisode } from "./episodes.ts";
import { isImport } from "./imports.ts";
import type { LedgerParts } from "./ledger-parts.ts";
import { enqueueReports, hasPending } from "./outbox.ts";
import type { Rules } from "./rules.ts";
import type { Site } from "./sites.ts";
import { mayBring } from "./source.ts";
import { activeTaskStates, heldTaskStates, type Database, type EpisodeRow, type TaskRow } from "./tables.ts";
import { accountKeyOf, accountNameOf, episodesOf, insertTask, loginKeyOfTask, moveTask, sealTask, upsertEpisodes } from "./tasks.ts";

const ENDED_REST_MS = 60_000;

/** What a pull brought, against what is known. */
export type Admission = "new" | "again" | "known" | "reporting" | "reported-again" | "another-account";

/** A pulled task: new, known and continued, or handed out again after it had ended here. */
export async function admit({ db, vault, hand }: LedgerParts, task: WorkerTask, site: Site, source: string): Promise<Admission> {
  if (!mayBring(source, task.id)) throw new Failure("farm.invariant", `${source} may not bring the task ${task.id}`);
  const { now, rules } = hand();
  return db.transaction().execute(async (trx) => {
    const row = await trx.selectFrom("tasks").selectAll().where("id", "=", task.id).forUpdate().executeTakeFirst();
    if (!row) return (await open(trx, task, site, source, { now, rules, vault })) ? "new" : "known";
    // Two sources may call two tasks the same: what is one account's is never done on another.
    const isOther = row.account_key !== accountKeyOf(site, task) || row.host !== site.host;
    if (isOther && !(row.source === source && (await isUntried(trx, row)))) return "another-account";
    if (heldTaskStates.includes(row.state)) return "known";
    if (await hasPending(trx, row.id)) return "reporting";
    // What it completed does not cover what is asked for by now: that is new work, and what of it is posted stays posted.
    const isMore = row.state === "completed" && !task.data_content.every(({ id }) => row.episode_ids.includes(id));
    if (isOther || isMore) {
      await trx.deleteFrom("tasks").where("id", "=", row.id).execute();
      return (await open(trx, task, site, source, { now, rules, vault })) ? "again" : "known";
    }
    // Ended a moment ago: the answer to a pull may be older than that, and a source that keeps showing it is not asked over and over.
    const ended = row.state === "canceled" || row.state === "completed";
    if (ended && now.getTime() - row.updated_at.getTime() < ENDED_REST_MS) return "known";
    if (row.state === "completed") return (await reportAgain(trx, row, now, vault)) ? "reported-again" : "known";
    await trx
      .updateTable("tasks")
      .set({
        ...sealTask(task, vault),
        login_key: loginKeyOfTask(site, task),
        account_name: accountNameOf(task),
        source,
        episode_ids: JSON.stringify(await idsOf(trx, row, task)),
        updated_at: now,
      })
      .where("id", "=", task.id)
      .execute();
    await upsertEpisodes(trx, task, row.account_key, now, rules);
    if (activeTaskStates.includes(row.state)) return "known";
    await reopen(trx, row, task, now, vault);
    return "again";
  });
}

/** @returns false when another farm was faster */
async function open(
  trx: Database,
  task: WorkerTask,
  site: Site,
  source: string,
  { now, rules, vault }: { now: Date; rules: Readonly<Rules>; vault: Vault },
): Promise<boolean> {
  if (!(await insertTask(trx, task, site, source, sealTask(task, vault), now, rules))) return false;
  // What an earlier task gave up on this account is asked for anew.
  for (const { id } of task.data_content)
    await moveEpisode(trx, { accountKey: accountKeyOf(site, task), episodeId: id }, now, { from: ["failed", "canceled"], to: "waiting" });
  await enqueueReports(trx, task.id, [{ kind: "start" }], now, vault);
  return true;
}

/** It has ended with nothing of it sent to the site: its source may have corrected whose it is (a mistyped e-mail). */
async function isUntried(trx: Database, row: TaskRow): Promise<boolean> {
  if (row.state !== "failed" && row.state !== "canceled") return false;
  const stop = await trx.selectFrom("stopped_accounts").select("task_id").where("task_id", "=", row.id).limit(1).executeTakeFirst();
  const isOpen = ({ state }: EpisodeRow): boolean => state === "waiting" || state === "failed" || state === "canceled";
  return !stop && (await episodesOf(trx, row)).every((one) => isOpen(one) && one.attempts === 0 && one.draft_id === null);
}

/** In the order of posting. What the task has posted stays part of it where the source leaves it out by now: its end tells of the whole. */
async function idsOf(trx: Database, row: TaskRow, task: WorkerTask): Promise<string[]> {
  const given = task.data_content.map(({ id }) => id);
  if (isImport(task)) return given;
  const posted = (await episodesOf(trx, row)).filter(({ state }) => state === "posted" || state === "reported");
  const before = posted.map(({ episode_id: id }) => id).filter((id) => !given.includes(id));
  return [...before, ...given];
}

/** The source handed out again what had failed or was canceled: all that is not on the site is open again. */
async function reopen(trx: Database, row: TaskRow, task: WorkerTask, now: Date, vault: Vault): Promise<void> {
  await moveTask(trx, row.id, now, {
    from: ["failed", "canceled"],
    to: "waiting",
    set: { worker_deaths: 0, tries: 0, failure: null, waits_for: "", not_before: null },
  });
  for (const { id } of task.data_content)
    await moveEpisode(trx, { accountKey: row.account_key, episodeId: id }, now, { from: ["failed", "canceled"], to: "waiting" });
  await enqueueReports(trx, row.id, [{ kind: "start" }], now, vault);
}

/** The source lost our word (a restored backup): it is said again, unless the source had refused it. */
async function reportAgain(trx: Database, row: TaskRow, now: Date, vault: Vault): Promise<boolean> {
  const refused = await trx
    .selectFrom("outbox")
    .select("seq")
    .where("task_id", "=", row.id)
    .where("kind", "=", "complete")
    .where("state", "=", "refused")
    .limit(1)
    .executeTakeFirst();
  if (refused) return false;
  const view = {
    episodes: await episodesOf(trx, row),
    linkRss: row.link_rss,
    cookie: "",
    fallbackLink: `https://${row.host}/`,
    workerDeaths: 0,
    tries: 0,
  };
  await enqueueReports(trx, row.id, [{ kind: "start" }, ...completion(view)], now, vault);
  return true;
}
