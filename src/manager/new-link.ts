import { randomUUID } from "node:crypto";
import type { Insertable } from "kysely";
import type { WorkerEpisode } from "../contract/worker-api.ts";
import type { LinkKind, ManagerTables } from "./tables.ts";

export interface NewLink {
  requestId: string;
  accountId: string;
  site: string;
  kind: LinkKind;
  /** A secondary has none. */
  episodes: readonly WorkerEpisode[];
  priority: number;
  maxRetries: number;
}

/** A task as it begins: waiting, and in nobody's hands. */
export function newLink(
  { requestId, accountId, site, kind, episodes, priority, maxRetries }: NewLink,
  now: Date,
): Insertable<ManagerTables["links"]> & { id: string } {
  return {
    id: randomUUID(),
    request_id: requestId,
    account_id: accountId,
    kind,
    site,
    state: "waiting",
    holder: null,
    server_id: null,
    server_name: null,
    started_by: "[]",
    lease_until: null,
    priority,
    episodes: JSON.stringify(episodes),
    link_rss: "",
    link_post: "",
    note: "",
    error_message: "",
    failure_code: null,
    retry_count: 0,
    max_retries: maxRetries,
    next_at: null,
    created_at: now,
    updated_at: now,
    started_at: null,
    completed_at: null,
  };
}
