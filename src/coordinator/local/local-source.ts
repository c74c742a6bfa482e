import { sql, type Updateable } from "kysely";
import { workerTask, type Report, type WorkerTask } from "../../contract/worker-api.ts";
import { LOCAL, type DeliverAnswer, type PullAnswer, type ReadAnswer, type Source } from "../source.ts";
import type { Database } from "../tables.ts";
import type { AccountBook, AccountSecrets } from "./accounts.ts";
import { accountIdOf, ledgerIdOf, readLedgerId } from "./ids.ts";
import type { LocalAccountRow, LocalResult, LocalTaskRow, LocalTaskTable } from "./tables.ts";
import { STOPPED } from "./task-book.ts";

export interface LocalSourceOptions {
  db: Database;
  accounts: AccountBook;
  now(): Date;
}

const GONE = { kind: "final", why: "the task was deleted", gone: true } as const;
const final = (why: string): DeliverAnswer => ({ kind: "final", why, gone: false });

/**
 * The farm's own tasks as a source like any other: what is due is pulled, started, worked on and reported here. A task's attempts
 * are tasks of their own, so that a late word of one that was given up changes nothing but what is a fact: that all is posted.
 */
export function createLocalSource(options: LocalSourceOptions): Source {
  /** The database is the ledger's own: what it does not answer now, it answers later. */
  const unlessBroken = async <Answer>(ask: () => Promise<Answer>): Promise<Answer | { kind: "again"; why: string; retryAfterMs: null }> =>
    ask().catch((error: unknown) => ({
      kind: "again" as const,
      why: `the local record can't be read (${error instanceof Error ? error.message : String(error)})`,
      retryAfterMs: null,
    }));
  return {
    name: LOCAL,
    once: false,
    unleased: true,
    pull: async (limit, sites) => unlessBroken(async () => pull(options, limit, sites)),
    read: async (taskId) => unlessBroken(async () => read(options, taskId)),
    deliver: async (taskId, report) => unlessBroken(async () => deliver(options, taskId, report)),
  };
}

/** What was asked for at a time of day stands in line from then on, else from its making on. */
const dueAt = sql<Date>`coalesce(start_at, created_at)`;

/**
 * The longest due of each slot that has nothing to do: a slot does one task at a time. What is for a site that none of our drivers
 * serves is left to a farm that has one.
 */
async function pull({ db, accounts, now }: LocalSourceOptions, limit: number, sites: readonly string[]): Promise<PullAnswer> {
  const at = now();
  const rows = await db
    .selectFrom("local_tasks")
    .distinctOn("serial")
    .selectAll()
    .where("state", "=", "pending")
    .where((one) => one.or([one("start_at", "is", null), one("start_at", "<=", at)]))
    .where("serial", "not in", await busySlots(db, at, sites))
    // Never empty, as below.
    .where("account", "not in", (inner) =>
      inner
        .selectFrom("local_accounts")
        .select("local_accounts.id")
        .where("host", "not in", ["", ...sites]),
    )
    .orderBy("serial")
    .orderBy(dueAt)
    .orderBy("id")
    .execute();
  const from = ({ start_at: start, created_at: made }: LocalTaskRow): number => (start ?? made).getTime();
  const due = rows.toSorted((a, b) => from(a) - from(b) || a.id - b.id).slice(0, limit);
  const known = await accounts.get(due.map(({ account }) => account));
  const tasks: WorkerTask[] = [];
  const broken: { id: string; why: string }[] = [];
  for (const row of due) {
    const [id, account] = [ledgerIdOf(row), known.get(row.account)];
    const secrets = account && accounts.secretsOf(account);
    if (!account) broken.push({ id, why: `its account ${row.username} was removed` });
    else if (!secrets) broken.push({ id, why: `the secrets of its account ${row.username} can't be opened` });
    else tasks.push(asWorkerTask(row, account, id, secrets));
  }
  return { kind: "tasks", tasks, broken };
}

/** Where a task runs, or is about to; one that waits for a time, a person or a driver keeps nobody else from the slot. */
async function busySlots(db: Database, at: Date, sites: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom("tasks")
    .select(["data", "state", "not_before", "host"])
    .where("source", "=", LOCAL)
    .where("state", "in", ["waiting", "claimed", "running"])
    .execute();
  const isAboutTo = ({ host, not_before: notBefore }: (typeof rows)[number]): boolean =>
    sites.includes(host) && (!notBefore || notBefore <= at);
  const busy = rows.filter((row) => row.state !== "waiting" || isAboutTo(row));
  // Never empty: there is no `not in ()`.
  return ["", ...busy.flatMap(({ data: { serial } }) => (typeof serial === "string" ? [serial] : []))];
}

function asWorkerTask(row: LocalTaskRow, account: LocalAccountRow, id: string, secrets: Partial<AccountSecrets> = {}): WorkerTask {
  return workerTask.parse({
    id,
    type_request: row.script_name,
    status: "queued",
    account_id: accountIdOf(account),
    domain: account.host,
    email: account.email,
    username: account.username,
    ...secrets,
    data_content: row.episodes,
    kind: "primary",
    serial: row.serial,
  });
}

const statusWords = { pending: "queued", running: "running", completed: "completed", failed: "failed" } as const;

async function read({ db, accounts }: LocalSourceOptions, taskId: string): Promise<ReadAnswer> {
  const named = readLedgerId(taskId);
  const row = named && (await db.selectFrom("local_tasks").selectAll().where("id", "=", named.id).executeTakeFirst());
  if (!row) return { kind: "gone" };
  // An earlier attempt has nothing more to do.
  const isOver = row.attempt !== named.attempt || (row.state === "failed" && row.error === STOPPED);
  const account = (await accounts.get([row.account])).get(row.account);
  if (!account) return { kind: "gone" };
  return { kind: "task", task: { ...asWorkerTask(row, account, taskId), status: isOver ? "canceled" : statusWords[row.state] } };
}

async function deliver({ db, now }: LocalSourceOptions, taskId: string, report: Report): Promise<DeliverAnswer> {
  const named = readLedgerId(taskId);
  if (!named) return GONE;
  if (report.kind === "check") return final("no checks are ordered here");
  return db.transaction().execute(async (trx): Promise<DeliverAnswer> => {
    const row = await trx.selectFrom("local_tasks").selectAll().where("id", "=", named.id).forUpdate().executeTakeFirst();
    if (!row) return GONE;
    const change = changeOf(row, row.attempt === named.attempt, report, now());
    if ("refuse" in change) return final(change.refuse);
    if (Object.keys(change.set).length > 0) await trx.updateTable("local_tasks").set(change.set).where("id", "=", row.id).execute();
    return { kind: "delivered" };
  });
}

type Change = { refuse: string } | { set: Updateable<LocalTaskTable> };

/** What a report does to the record. Decisions only. @param isNewest of the task's newest attempt */
function changeOf(row: LocalTaskRow, isNewest: boolean, report: Exclude<Report, { kind: "check" }>, now: Date): Change {
  const result = row.result ?? { links: [], link_rss: null };
  switch (report.kind) {
    case "start":
      if (!isNewest) return { refuse: "it was begun anew" };
      if (row.state === "completed" || row.state === "failed") return { refuse: row.error === STOPPED ? STOPPED : `it is ${row.state}` };
      return { set: { state: "running", started_at: row.started_at ?? now } };
    case "complete": {
      // Whatever was said meanwhile: it is on the site.
      const links = linksOf(row, report.note ? (JSON.parse(report.note) as Record<string, string>) : {}, report.link_post);
      return {
        set: {
          state: "completed",
          error: "",
          result: sealed({ ...result, links }),
          finished_at: row.state === "completed" ? (row.finished_at ?? now) : now,
        },
      };
    }
    case "account":
      return { set: report.link_rss ? { result: sealed({ ...result, link_rss: report.link_rss }) } : {} };
    case "fail":
      if (!isNewest) return { refuse: "it was begun anew" };
      if (row.state === "completed") return { refuse: "it is completed" };
      // What somebody stopped has failed for that reason.
      if (row.state === "failed") return { set: {} };
      return {
        set: {
          state: "failed",
          error: report.error_message,
          finished_at: now,
          ...(report.posted && { result: sealed({ ...result, links: linksOf(row, report.posted, "") }) }),
        },
      };
  }
}

const sealed = (result: LocalResult): string => JSON.stringify(result);

/** In the order of the episodes. */
function linksOf(row: LocalTaskRow, byId: Readonly<Record<string, string>>, first: string): string[] {
  const links = row.episodes.map(({ id }) => byId[id] ?? "").filter(Boolean);
  return links.length > 0 ? links : first ? [first] : [];
}
