import { sql, type Transaction } from "kysely";
import { isUuid } from "../kit/uuid.ts";
import { lockRequest } from "./backlink/after-move.ts";
import type { Caller } from "./caller.ts";
import { ApiError } from "./errors.ts";
import type { LinkRow, ManagerTables } from "./tables.ts";

type Trx = Transaction<ManagerTables>;

/** Its request first, as everything that changes both goes. */
export async function lockLink(trx: Trx, id: string, caller: Caller | null = null): Promise<LinkRow> {
  const { id: own, request_id } = await findLink(trx, id, caller);
  await lockRequest(trx, request_id);
  const link = await trx.selectFrom("links").selectAll().where("id", "=", own).forUpdate().executeTakeFirst();
  if (!link) throw new ApiError("task_not_found");
  return link;
}

/** The requests whose imports get the feed that the account of a task reports, in the order in which all lock several. */
export async function lockWaitingForFeed(trx: Trx, { account_id, request_id }: Pick<LinkRow, "account_id" | "request_id">): Promise<void> {
  await trx
    .selectFrom("requests as r")
    .select("r.id")
    .where(({ eb, or, selectFrom }) =>
      or([
        eb("r.id", "=", request_id),
        eb(
          "r.id",
          "in",
          selectFrom("links as p")
            .select("p.request_id")
            .where("p.account_id", "=", account_id)
            .where("p.kind", "=", "primary")
            .where("p.state", "=", "completed")
            .where(
              sql<boolean>`exists (select from manager.links s where s.request_id = p.request_id and s.kind = 'secondary' and s.link_rss = '')`,
            ),
        ),
      ]),
    )
    .orderBy("r.id")
    .forUpdate()
    .execute();
}

/**
 * A task by its own id, or a secondary that was handed out by its account's: of several the one that the caller holds, else the
 * one that it ended last. @throws ApiError task_not_found
 */
export async function findLink(trx: Trx, id: string, caller: Caller | null): Promise<Pick<LinkRow, "id" | "request_id" | "account_id">> {
  if (!isUuid(id)) throw new ApiError("task_not_found");
  const own = await trx.selectFrom("links").select(["id", "request_id", "account_id"]).where("id", "=", id).executeTakeFirst();
  const link =
    own ??
    (await trx
      .selectFrom("links")
      .select(["id", "request_id", "account_id"])
      .where("account_id", "=", id)
      .where("kind", "=", "secondary")
      .where("holder", "is not", null)
      .orderBy(sql`case when holder = ${caller?.holder ?? null} then 0 else 1 end`)
      .orderBy(sql`case when state in ('claimed', 'running', 'needs_person', 'unsure') then 0 else 1 end`)
      .orderBy("updated_at", "desc")
      .limit(1)
      .executeTakeFirst());
  if (!link) throw new ApiError("task_not_found");
  return link;
}
