import type { Updateable } from "kysely";
import { Failure, type FailureData } from "../contract/failures.ts";
import { mayTaskMove, type TaskState } from "../contract/states.ts";
import type { Credentials, MailboxCredentials } from "../contract/task.ts";
import type { WorkerTask } from "../contract/worker-api.ts";
import type { Vault } from "../store/vault.ts";
import { moveEpisode } from "./episodes.ts";
import { markerOf } from "./marker.ts";
import type { Rules } from "./rules.ts";
import { loginKeyOf } from "./sign-in-guard.ts";
import type { Site } from "./sites.ts";
import type { Database, EpisodeRow, TaskRow, TaskTable } from "./tables.ts";

/** The one place where a task's state changes. @returns the row after the move; null when it was in none of the `from` states */
export async function moveTask(
  db: Database,
  id: string,
  now: Date,
  move: { from: readonly TaskState[]; to: TaskState; set?: Updateable<TaskTable> },
): Promise<TaskRow | null> {
  const forbidden = move.from.find((from) => !mayTaskMove(from, move.to));
  if (forbidden) throw new Failure("farm.invariant", `a task may not move from ${forbidden} to ${move.to}`);
  const row = await db
    .updateTable("tasks")
    .set({ ...move.set, state: move.to, updated_at: now })
    .where("id", "=", id)
    .where("state", "in", move.from)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/**
 * The source took a task away that nobody works on: nothing more is reported. One with an episode in doubt is not touched: its
 * next run looks first, and ends it then.
 * @returns false when it is in somebody's hands, in doubt or has ended
 */
export async function cancelTask(trx: Database, taskId: string, why: string, now: Date): Promise<boolean> {
  const row = await moveTask(trx, taskId, now, {
    from: ["waiting", "needs_person"],
    to: "canceled",
    set: { failure: JSON.stringify({ code: "task.canceled", detail: why } satisfies FailureData), waits_for: "", not_before: null },
  });
  if (!row) return false;
  await giveUpEpisodes(trx, row, "canceled", null, now);
  // Held for a person with its look still to come: nobody will run the task again, so the person decides this, too.
  for (const episodeId of row.episode_ids)
    await moveEpisode(trx, { accountKey: row.account_key, episodeId }, now, { from: ["doubt"], to: "needs_person" });
  return true;
}

/** What nobody will post any more, with the reason; but not what another task has brought since. */
export async function giveUpEpisodes(
  trx: Database,
  task: TaskRow,
  to: "canceled" | "failed",
  failure: FailureData | null,
  now: Date,
): Promise<void> {
  for (const { episode_id: episodeId, task_id: owner, state } of await episodesOf(trx, task)) {
    if (state !== "waiting" || owner !== task.id) continue;
    await moveEpisode(trx, { accountKey: task.account_key, episodeId }, now, {
      from: ["waiting"],
      to,
      ...(to === "failed" && failure && { set: { failure: JSON.stringify(failure) } }),
    });
  }
}

/** A task as the ledger keeps it. */
export type SealedTask = { data: string; sealed_credentials: string };

const secretFields = [
  "email",
  "username",
  "password",
  "pass_mail",
  "twofa",
  "app_password",
  "cookie",
  "api_token",
  "feed_email",
  "feed_app_password",
  "feed_pass_mail",
] as const;
type Secrets = Partial<Record<(typeof secretFields)[number], string>>;

export function sealTask(task: WorkerTask, vault: Vault): SealedTask {
  const blank = Object.fromEntries(secretFields.map((field) => [field, ""]));
  const secret = Object.fromEntries(secretFields.map((field) => [field, task[field]]));
  return {
    data: JSON.stringify({ ...task, ...blank }),
    sealed_credentials: vault.seal(JSON.stringify(secret), `tasks:${task.id}:credentials`),
  };
}

/** @throws Failure farm.invariant when the row was changed by somebody else */
export function openCredentials(row: Pick<TaskRow, "id" | "sealed_credentials">, vault: Vault): Credentials {
  const secret = openSecrets(row, vault);
  return {
    email: secret.email ?? "",
    username: secret.username ?? "",
    password: secret.password ?? "",
    passMail: secret.pass_mail ?? "",
    twofa: secret.twofa ?? "",
    appPassword: secret.app_password ?? "",
    cookie: secret.cookie ?? "",
    apiToken: secret.api_token ?? "",
  };
}

/** The mailbox of the imported feed's owner, where the task brought one. */
export function openFeedMailbox(row: Pick<TaskRow, "id" | "sealed_credentials">, vault: Vault): MailboxCredentials | null {
  const { feed_email: email, feed_app_password: appPassword, feed_pass_mail: passMail } = openSecrets(row, vault);
  return email ? { email, appPassword: appPassword ?? "", passMail: passMail ?? "" } : null;
}

/** Whether the row holds the same secrets as the task. */
export function hasSecrets(row: Pick<TaskRow, "id" | "sealed_credentials">, task: WorkerTask, vault: Vault): boolean {
  const known = openSecrets(row, vault);
  return secretFields.every((field) => (known[field] ?? "") === (task[field] ?? ""));
}

function openSecrets(row: Pick<TaskRow, "id" | "sealed_credentials">, vault: Vault): Secrets {
  return JSON.parse(vault.open(row.sealed_credentials, `tasks:${row.id}:credentials`)) as Secrets;
}

/** Who holds the account at the site. Managers without account ids are keyed by what one signs in with. */
export function accountKeyOf(site: Site, task: WorkerTask): string {
  return `${site.card.site}:${task.account_id || `${site.host}/${task.email || task.username || task.id}`}`;
}

/** What the site knows the account by, whichever source brings it; "": nothing. */
export function loginKeyOfTask(site: Site, { email, username, api_token: apiToken = "" }: WorkerTask): string {
  return loginKeyOf(site.host, site.card, { email, username, apiToken }) ?? "";
}

export function accountNameOf(task: WorkerTask): string {
  return task.email || task.username || task.account_id || task.id;
}

/** @returns false when another farm was faster: an answer to its pull brought the same task */
export async function insertTask(
  db: Database,
  task: WorkerTask,
  site: Site,
  source: string,
  box: SealedTask,
  now: Date,
  rules: Readonly<Rules>,
): Promise<boolean> {
  const priority = Number(task["priority"]);
  const inserted = await db
    .insertInto("tasks")
    .values({
      id: task.id,
      source,
      account_key: accountKeyOf(site, task),
      login_key: loginKeyOfTask(site, task),
      site: site.card.site,
      host: site.host,
      account_name: accountNameOf(task),
      state: "waiting",
      priority: Number.isInteger(priority) && Math.abs(priority) < 1_000_000 ? priority : 0,
      episode_ids: JSON.stringify(task.data_content.map((episode) => episode.id)),
      ...box,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  if (!inserted) return false;
  await upsertEpisodes(db, task, accountKeyOf(site, task), now, rules);
  return true;
}

/** What the ledger knows of an episode on this account stays, whichever task brings it. */
export async function upsertEpisodes(db: Database, task: WorkerTask, accountKey: string, now: Date, rules: Readonly<Rules>): Promise<void> {
  for (const episode of task.data_content) {
    await db
      .insertInto("episodes")
      .values({
        account_key: accountKey,
        episode_id: episode.id,
        task_id: task.id,
        title: episode.title,
        marker: rules.marker ? markerOf(accountKey, episode.id) : markerOf("", episode.title),
        state: "waiting",
        updated_at: now,
      })
      .onConflict((conflict) => conflict.columns(["account_key", "episode_id"]).doUpdateSet({ task_id: task.id, title: episode.title }))
      .execute();
  }
}

/** In the order of posting. */
export async function episodesOf(db: Database, task: Pick<TaskRow, "account_key" | "episode_ids">): Promise<EpisodeRow[]> {
  if (task.episode_ids.length === 0) return [];
  const rows = await db
    .selectFrom("episodes")
    .selectAll()
    .where("account_key", "=", task.account_key)
    .where("episode_id", "in", task.episode_ids)
    .execute();
  const byId = new Map(rows.map((row) => [row.episode_id, row]));
  return task.episode_ids.flatMap((id) => byId.get(id) ?? []);
}
