import { randomUUID } from "node:crypto";
import type { Kysely, Transaction } from "kysely";
import { z } from "zod";
import { UsageError } from "../kit/config.ts";
import type { Vault } from "../store/vault.ts";
import { ensureDefaultGroup, upsertAccount } from "./accounts.ts";
import { siteName } from "./site-name.ts";
import type { ManagerTables } from "./tables.ts";

const text = z
  .string()
  .refine((value) => !value.includes("\0"), "holds a NUL character")
  .refine((value) => value.isWellFormed(), "is not well-formed Unicode");
const field = text.optional();

const taskInput = z.object({
  /** Who signs in. `username` or `email` is needed; absent fields stay as they are when the account is known already. */
  account: z
    .object({
      username: field,
      email: field,
      password: field,
      pass_mail: field,
      twofa: field,
      app_password: field,
      api_token: field,
      cookie: field,
      link_rss: field,
    })
    .refine((account) => Boolean((account.username ?? account.email ?? "").trim()), "needs a username or an email"),
  /** The site that the account is on: a host or an address, e.g. "studio.firstory.me" or "http://127.0.0.1:8710". */
  website: text.refine((value) => siteName(value) !== null, "is not the address of a web site"),
  /** Posted one after another in this order. An id is made where none is given. */
  episodes: z
    .array(
      z.object({
        id: text.min(1).optional(),
        title: text,
        about: text.default(""),
        image_url: text.default(""),
        audio_url: field,
        language: field,
        voice: field,
      }),
    )
    .min(1)
    .refine((episodes) => new Set(episodes.map(({ id }) => id ?? randomUUID())).size === episodes.length, "has two episodes with one id"),
  /** Absent: a request of its own is made. */
  requestId: z.uuid().optional(),
  /** Absent: the default group, and no other account is counted as remaining. */
  groupId: z.uuid().optional(),
  /** The address that the request is for (`website` of the worker API). */
  requestWebsite: text.default(""),
  /** Name of a request that is made here. */
  name: text.optional(),
  /** Episodes wanted; absent: as many as given. */
  target: z.number().int().positive().optional(),
  /** Higher ones are handed out first. */
  priority: z.number().int().min(-1000).max(1000).default(0),
  maxRetries: z.number().int().min(0).max(100).default(3),
});

export type TaskInput = z.input<typeof taskInput>;
type Task = z.output<typeof taskInput>;

export interface MadeTask {
  taskId: string;
  accountId: string;
  requestId: string;
  /** False: this request had a task for this account already, and that one is unchanged. */
  created: boolean;
}

/**
 * Makes the account (or brings it up to date), the request and the task in one transaction. The same `requestId` with the
 * same account gives the same task, so that a caller who is not sure may call again.
 * @throws UsageError naming everything that is wrong with the input
 */
export async function makeTask(db: Kysely<ManagerTables>, vault: Vault, input: TaskInput, now: Date): Promise<MadeTask> {
  const parsed = taskInput.safeParse(input);
  if (!parsed.success)
    throw new UsageError(
      `The task can't be made: ${parsed.error.issues.map((issue) => `${issue.path.join(".") || "task"}: ${issue.message}`).join("; ")}`,
    );
  return db.transaction().execute(async (trx) => insertTask(trx, vault, parsed.data, now));
}

async function insertTask(trx: Transaction<ManagerTables>, vault: Vault, task: Task, now: Date): Promise<MadeTask> {
  const site = siteName(task.website) ?? task.website;
  const { username = "", email = "", ...changes } = task.account;
  const groupId = task.groupId ? await existingGroup(trx, task.groupId) : await ensureDefaultGroup(trx, now);
  const accountId = await upsertAccount(trx, vault, { groupId, site, username, email }, changes, now);
  const requestId = task.requestId ?? randomUUID();
  await insertRequest(trx, requestId, site, task, now);
  const id = randomUUID();
  await trx
    .insertInto("links")
    .values({
      id,
      request_id: requestId,
      account_id: accountId,
      kind: "primary",
      site,
      state: "waiting",
      holder: null,
      server_id: null,
      server_name: null,
      started_by: "[]",
      lease_until: null,
      priority: task.priority,
      episodes: JSON.stringify(task.episodes.map((episode) => ({ ...episode, id: episode.id ?? randomUUID() }))),
      link_post: "",
      note: "",
      error_message: "",
      failure_code: null,
      retry_count: 0,
      max_retries: task.maxRetries,
      next_at: null,
      created_at: now,
      updated_at: now,
      started_at: null,
      completed_at: null,
    })
    .onConflict((conflict) => conflict.constraint("links_once_per_account").doNothing())
    .execute();
  const { id: taskId } = await trx
    .selectFrom("links")
    .select("id")
    .where("request_id", "=", requestId)
    .where("account_id", "=", accountId)
    .where("kind", "=", "primary")
    .executeTakeFirstOrThrow();
  return { taskId, accountId, requestId, created: taskId === id };
}

async function existingGroup(trx: Transaction<ManagerTables>, id: string): Promise<string> {
  const group = await trx.selectFrom("groups").select("id").where("id", "=", id).executeTakeFirst();
  if (!group) throw new UsageError(`The task can't be made: groupId: there is no group ${id}`);
  return group.id;
}

async function insertRequest(trx: Transaction<ManagerTables>, id: string, site: string, task: Task, now: Date): Promise<void> {
  await trx
    .insertInto("requests")
    .values({
      id,
      user_id: null,
      group_id: task.groupId ?? null,
      service_type: "podcast",
      type_request: "podcast",
      name: task.name ?? `${task.episodes.length} episodes on ${site}`,
      website: task.requestWebsite,
      auction_price: 0,
      target: task.target ?? task.episodes.length,
      priority: task.priority,
      config: "{}",
      data: "{}",
      folder_urls: "{}",
      status: "running",
      created_at: now,
      updated_at: now,
      started_at: now,
      completed_at: null,
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
}
