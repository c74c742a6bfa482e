import type { Kysely } from "kysely";
import { taskStateToWorkerApi, type WorkerApiStatus } from "../contract/states.ts";
import type { WorkerEpisode } from "../contract/worker-api.ts";
import type { Vault } from "../store/vault.ts";
import { openSecrets } from "./accounts.ts";
import { accountsRemaining } from "./accounts-remaining.ts";
import { anyOf } from "./any-of.ts";
import { feedOwners } from "./feed-owners.ts";
import { stateAt } from "./lease.ts";
import { episodesToPost } from "./posted.ts";
import type { AccountRow, LinkKind, ManagerTables } from "./tables.ts";

/**
 * A task as the worker API shows it (W2). What follows `cookie` is additive. A secondary goes by its account's id, stays queued
 * while it is open, has no data_content, and its `link_rss` is the feed to import; a primary's is its account's own.
 */
export interface WorkerTaskAnswer {
  id: string;
  request_id: string;
  type_request: "post";
  status: WorkerApiStatus;
  account_id: string;
  group_id: string;
  target: number;
  accounts_remaining: number;
  domain: string;
  website: string;
  email: string;
  username: string;
  password: string;
  pass_mail: string;
  twofa: string;
  app_password: string;
  data_content?: WorkerEpisode[];
  cookie: string;
  api_token: string;
  kind: LinkKind;
  /** The task's own id; for a primary the same as `id`. Every route takes both. */
  link_id: string;
  link_rss: string;
  link_post: string;
  note: string;
  error_message: string;
  retry_count: number;
  max_retries: number;
  /** null: nobody holds it. */
  lease_until: string | null;
  /** Of a secondary: the mailbox to which the feed's host may send its ownership code. */
  feed_email?: string;
  feed_app_password?: string;
  feed_pass_mail?: string;
}

/**
 * Reads tasks with their account and request, in the order of `ids`; unknown ones are left out. Opens the account's secrets.
 * @param unreadable told of a task whose secrets don't open, which is then left out; without it the first such one throws
 */
export async function readWorkerTasks(
  db: Kysely<ManagerTables>,
  vault: Vault,
  ids: readonly string[],
  now: Date,
  unreadable?: (id: string, error: unknown) => void,
): Promise<WorkerTaskAnswer[]> {
  if (ids.length === 0) return [];
  const rows = await selectTasks(db, ids);
  const remaining = await accountsRemaining(db, [...new Set(rows.map(({ request_id }) => request_id))]);
  const ownerOf = await feedOwners(db, rows);
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = found.get(id);
    if (!row) return [];
    try {
      const answer = toAnswer(row, remaining.get(row.request_id) ?? 0, vault, now);
      return [row.kind === "primary" ? answer : asSecondary(answer, row, ownerOf(row), vault)];
    } catch (error) {
      if (!unreadable) throw error;
      unreadable(id, error);
      return [];
    }
  });
}

type TaskRow = Awaited<ReturnType<typeof selectTasks>>[number];

async function selectTasks(db: Kysely<ManagerTables>, ids: readonly string[]) {
  return db
    .selectFrom("links as l")
    .innerJoin("accounts as a", "a.id", "l.account_id")
    .innerJoin("requests as r", "r.id", "l.request_id")
    .selectAll("l")
    .select([
      "a.id as account_id",
      "a.group_id",
      "a.email",
      "a.username",
      "a.password",
      "a.pass_mail",
      "a.twofa",
      "a.app_password",
      "a.cookie",
      "a.api_token",
      "a.link_rss as own_rss",
      "r.target",
      "r.website",
    ])
    .where("l.id", "=", anyOf(ids, "uuid"))
    .execute();
}

function asSecondary(answer: WorkerTaskAnswer, row: TaskRow, owner: AccountRow | undefined, vault: Vault): WorkerTaskAnswer {
  const { data_content: _none, ...rest } = answer;
  const secrets = owner && openSecrets(vault, owner);
  return {
    ...rest,
    id: row.account_id,
    status: answer.status === "running" ? "queued" : answer.status,
    link_rss: row.link_rss,
    ...(owner && secrets && { feed_email: owner.email, feed_app_password: secrets.app_password, feed_pass_mail: secrets.pass_mail }),
  };
}

function toAnswer(row: TaskRow, accounts_remaining: number, vault: Vault, now: Date): WorkerTaskAnswer {
  const secrets = openSecrets(vault, { ...row, id: row.account_id });
  return {
    id: row.id,
    request_id: row.request_id,
    type_request: "post",
    status: taskStateToWorkerApi[stateAt(row, now)],
    account_id: row.account_id,
    group_id: row.group_id,
    target: row.target,
    accounts_remaining,
    domain: row.site,
    website: row.website,
    email: row.email,
    username: row.username,
    password: secrets.password,
    pass_mail: secrets.pass_mail,
    twofa: secrets.twofa,
    app_password: secrets.app_password,
    data_content: episodesToPost(row),
    cookie: secrets.cookie,
    api_token: secrets.api_token,
    kind: row.kind,
    link_id: row.id,
    link_rss: row.own_rss,
    link_post: row.link_post,
    note: row.note,
    error_message: row.error_message,
    retry_count: row.retry_count,
    max_retries: row.max_retries,
    lease_until: row.lease_until && row.lease_until > now ? row.lease_until.toISOString() : null,
  };
}
