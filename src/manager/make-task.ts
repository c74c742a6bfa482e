import { randomUUID } from "node:crypto";
import type { Kysely, Transaction } from "kysely";
import { z } from "zod";
import { UsageError } from "../kit/config.ts";
import type { Vault } from "../store/vault.ts";
import { ensureDefaultGroup, loginOf, upsertAccount } from "./accounts.ts";
import { lockRequest } from "./backlink/after-move.ts";
import { lockWaitingForFeed } from "./lock-link.ts";
import { newLink, type NewLink } from "./new-link.ts";
import { siteName } from "./site-name.ts";
import type { ManagerTables } from "./tables.ts";

const text = z
  .string()
  .refine((value) => !value.includes("\0"), "holds a NUL character")
  .refine((value) => value.isWellFormed(), "is not well-formed Unicode");
const field = text.optional();

const place = z.object({
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
  /** Higher ones are handed out first. */
  priority: z.number().int().min(-1000).max(1000).default(0),
  maxRetries: z.number().int().min(0).max(100).default(3),
});

const taskInput = place.extend({
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
});

/** An account on another site, which is to import the feed of what the request's primary posts. */
const importInput = place.extend({ requestId: z.uuid() });

export type TaskInput = z.input<typeof taskInput>;
export type ImportInput = z.input<typeof importInput>;
type Task = z.output<typeof taskInput>;
type Import = z.output<typeof importInput>;
type Place = z.output<typeof place>;

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
  const task = checked("task", taskInput.safeParse(input));
  return db.transaction().execute(async (trx) => insertTask(trx, vault, task, now));
}

/**
 * Makes a secondary task of a request: it is held until the request's primary has reported its feed, and handed out then.
 * The same account again gives the same task.
 * @throws UsageError naming everything that is wrong with the input
 */
export async function makeImport(db: Kysely<ManagerTables>, vault: Vault, input: ImportInput, now: Date): Promise<MadeTask> {
  const task = checked("import", importInput.safeParse(input));
  return db.transaction().execute(async (trx) => insertImport(trx, vault, task, now));
}

function checked<T>(what: string, parsed: z.ZodSafeParseResult<T>): T {
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || what}: ${issue.message}`).join("; ");
  throw new UsageError(`The ${what} can't be made: ${problems}`);
}

async function insertTask(trx: Transaction<ManagerTables>, vault: Vault, task: Task, now: Date): Promise<MadeTask> {
  const groupId = task.groupId ? await existingGroup(trx, task.groupId) : await ensureDefaultGroup(trx, now);
  const requestId = task.requestId ?? randomUUID();
  await lockWaiting(trx, task, groupId, requestId);
  const request = task.requestId ? await lockRequest(trx, task.requestId) : undefined;
  if (request?.user_id != null && request.started_at === null)
    throw new UsageError(`The task can't be made: requestId: the request "${request.name}" makes its own work when it is started`);
  const { site, accountId } = await accountAt(trx, vault, task, groupId, now);
  await insertRequest(trx, requestId, site, task, now);
  const episodes = task.episodes.map((episode) => ({ ...episode, id: episode.id ?? randomUUID() }));
  const made = await insertLink(trx, { ...task, requestId, accountId, site, kind: "primary", episodes }, now);
  if (made.created) await goOn(trx, requestId, now);
  return made;
}

/** More work for a request that had ended; how an owner's goes on is theirs to say. */
async function goOn(trx: Transaction<ManagerTables>, requestId: string, now: Date): Promise<void> {
  await trx
    .updateTable("requests")
    .set({ status: "running", completed_at: null, updated_at: now })
    .where("id", "=", requestId)
    .where("user_id", "is", null)
    .where("status", "!=", "running")
    .execute();
}

async function insertImport(trx: Transaction<ManagerTables>, vault: Vault, task: Import, now: Date): Promise<MadeTask> {
  const { requestId } = task;
  const request = await trx.selectFrom("requests").select("group_id").where("id", "=", requestId).executeTakeFirst();
  const groupId = request?.group_id ?? (await ensureDefaultGroup(trx, now));
  await lockWaiting(trx, task, groupId, requestId);
  // Whoever completes the primary at this moment is waited for: the import gets its feed.
  if (!(await lockRequest(trx, requestId))) throw new UsageError(`The import can't be made: requestId: there is no request ${requestId}`);
  const { site, accountId } = await accountAt(trx, vault, task, groupId, now);
  const posts = await trx
    .selectFrom("links")
    .select("id")
    .where("request_id", "=", requestId)
    .where("account_id", "=", accountId)
    .where("kind", "=", "primary")
    .executeTakeFirst();
  if (posts)
    throw new UsageError("The import can't be made: account: the request posts its episodes there, so it can't import them as well");
  return insertLink(trx, { ...task, requestId, accountId, site, kind: "secondary", episodes: [] }, now);
}

/** The requests that get the feed which the account brings, with the task's own: before the account, as when a farm reports it. */
async function lockWaiting(
  trx: Transaction<ManagerTables>,
  { website, account }: Place,
  groupId: string,
  requestId: string,
): Promise<void> {
  if (!account.link_rss) return;
  const known = await trx
    .selectFrom("accounts")
    .select("id")
    .where("group_id", "=", groupId)
    .where("site", "=", siteName(website) ?? website)
    .where("login", "=", loginOf({ username: account.username ?? "", email: account.email ?? "" }))
    .executeTakeFirst();
  if (known) await lockWaitingForFeed(trx, { account_id: known.id, request_id: requestId });
}

async function accountAt(
  trx: Transaction<ManagerTables>,
  vault: Vault,
  task: Place,
  groupId: string,
  now: Date,
): Promise<{ site: string; accountId: string }> {
  const site = siteName(task.website) ?? task.website;
  const { username = "", email = "", ...changes } = task.account;
  return { site, accountId: await upsertAccount(trx, vault, { groupId, site, username, email }, changes, now) };
}

async function insertLink(trx: Transaction<ManagerTables>, link: NewLink, now: Date): Promise<MadeTask> {
  const { requestId, accountId, kind } = link;
  const row = newLink(link, now);
  await trx
    .insertInto("links")
    .values(row)
    .onConflict((conflict) => conflict.constraint("links_once_per_account").doNothing())
    .execute();
  const { id: taskId } = await trx
    .selectFrom("links")
    .select("id")
    .where("request_id", "=", requestId)
    .where("account_id", "=", accountId)
    .where("kind", "=", kind)
    .executeTakeFirstOrThrow();
  return { taskId, accountId, requestId, created: taskId === row.id };
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
