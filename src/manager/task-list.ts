import type { Kysely } from "kysely";
import { taskStateToWorkerApi, type TaskState, type WorkerApiStatus } from "../contract/states.ts";
import { isUuid } from "../kit/uuid.ts";
import type { Announced } from "./announced-sites.ts";
import { isHeld, stateAt } from "./lease.ts";
import type { LinkKind, ManagerTables } from "./tables.ts";

/** A task for people: no secret, and why it waits. */
export interface TaskView {
  id: string;
  requestId: string;
  state: TaskState;
  /** The worker API's word for the state. */
  status: WorkerApiStatus;
  site: string;
  kind: LinkKind;
  /** The feed that a secondary imports; "" while it is not known, and for a primary. */
  feed: string;
  account: { id: string; email: string; username: string; linkRss: string };
  episodes: { id: string; title: string }[];
  /** URL of the first episode, "" before. */
  linkPost: string;
  /** Usually all URLs as JSON by episode id. */
  note: string;
  errorMessage: string;
  failureCode: string | null;
  retryCount: number;
  maxRetries: number;
  priority: number;
  /** The farm that holds it or held it last. */
  holder: string | null;
  /** null: nobody holds it. */
  leaseUntil: Date | null;
  /** A sentence for a task that is waiting, "" otherwise. */
  waitsFor: string;
  createdAt: Date;
  startedAt: Date | null;
  completedAt: Date | null;
}

/** Newest first. @param announced the sites on which farms post and import, null where none has said so */
export async function listTasks(
  db: Kysely<ManagerTables>,
  announced: Announced,
  now: Date,
  { id, limit = 1000 }: { id?: string; limit?: number } = {},
): Promise<TaskView[]> {
  if (id !== undefined && !isUuid(id)) return [];
  const rows = await selectViews(db, id, limit);
  return rows.map((row) => toView(row, announced, now));
}

type ViewRow = Awaited<ReturnType<typeof selectViews>>[number];

async function selectViews(db: Kysely<ManagerTables>, id: string | undefined, limit: number) {
  return db
    .selectFrom("links as l")
    .innerJoin("accounts as a", "a.id", "l.account_id")
    .selectAll("l")
    .select(["a.email", "a.username", "a.link_rss as own_rss"])
    .$if(id !== undefined, (query) => query.where("l.id", "=", id ?? ""))
    .orderBy("l.created_at", "desc")
    .orderBy("l.id")
    .limit(limit)
    .execute();
}

function toView(row: ViewRow, announced: Announced, now: Date): TaskView {
  const state = stateAt(row, now);
  return {
    id: row.id,
    requestId: row.request_id,
    state,
    status: taskStateToWorkerApi[state],
    site: row.site,
    kind: row.kind,
    feed: row.kind === "secondary" ? row.link_rss : "",
    account: { id: row.account_id, email: row.email, username: row.username, linkRss: row.own_rss },
    episodes: row.episodes.map((episode) => ({ id: episode.id, title: episode.title })),
    linkPost: row.link_post,
    note: row.note,
    errorMessage: row.error_message,
    failureCode: row.failure_code,
    retryCount: row.retry_count,
    maxRetries: row.max_retries,
    priority: row.priority,
    holder: row.server_name,
    leaseUntil: isHeld(row, now) ? row.lease_until : null,
    waitsFor: whyItWaits(row, state, announced, now),
    createdAt: row.created_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}

function whyItWaits(row: ViewRow, state: TaskState, announced: Announced, now: Date): string {
  if (state === "claimed") return `${row.server_name} has it and will start it soon.`;
  if (state !== "waiting") return "";
  if (row.paused) return "Its account or its group is inactive; nobody gets it until they are active again.";
  if (row.kind === "secondary" && row.link_rss === "") return "It waits for the RSS link of the request's first completed primary task.";
  if (announced[row.kind] && !announced[row.kind]?.has(row.site))
    return row.kind === "secondary"
      ? `No farm imports feeds on ${row.site}. Give its driver importFeed.`
      : `No farm drives ${row.site}. Write a driver, or map the host to one by SITES.`;
  if (row.next_at && row.next_at > now)
    return `It is handed out again at ${row.next_at.toISOString()}, after ${row.retry_count} of ${row.max_retries} retries: ${row.error_message}`;
  if (row.lease_until) return `${row.server_name} was not heard of since ${row.updated_at.toISOString()}; the next farm that asks gets it.`;
  return "No farm has asked for it yet.";
}
