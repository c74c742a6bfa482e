import type { Transaction } from "kysely";
import { newLink } from "../new-link.ts";
import type { LinkRow, ManagerTables, RequestRow } from "../tables.ts";
import { MAX_RETRIES } from "./make-work.ts";
import { episodesOnSites } from "./on-site.ts";

type Trx = Transaction<ManagerTables>;

/**
 * The next active account of the site gets what one that failed for good has left: the oldest that has posted nothing of this request,
 * and has not begun to import either. Without one, or when all is on the site, nothing happens.
 */
export async function takeOver(trx: Trx, request: RequestRow, failed: Pick<LinkRow, "site" | "episodes">, now: Date): Promise<void> {
  const there = (await episodesOnSites(trx, request.id, failed.site)).get(failed.site);
  const episodes = failed.episodes.filter(({ id }) => !there?.has(id));
  if (episodes.length === 0) return;
  for (const { accountId, importId } of await successors(trx, request, failed.site)) {
    if (importId !== null && !(await withdrawImport(trx, importId))) continue;
    const { id: requestId, priority } = request;
    const link = { requestId, accountId, site: failed.site, kind: "primary" as const, episodes, priority };
    await trx
      .insertInto("links")
      .values(newLink({ ...link, maxRetries: MAX_RETRIES }, now))
      .execute();
    return;
  }
}

/** The oldest first. */
async function successors(trx: Trx, { id, group_id }: RequestRow, site: string) {
  const accounts = await trx
    .selectFrom("accounts as a")
    .leftJoin("links as i", (join) => join.onRef("i.account_id", "=", "a.id").on("i.request_id", "=", id).on("i.kind", "=", "secondary"))
    .select(["a.id as accountId", "a.created_at", "i.id as importId"])
    .where("a.group_id", "=", group_id)
    .where("a.site", "=", site)
    .where("a.status", "=", "active")
    // One that somebody has had may have begun on the site, also where it waits for its next try.
    .where(({ eb, and, or }) => or([eb("i.id", "is", null), and([eb("i.state", "=", "waiting"), eb("i.holder", "is", null)])]))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("links as p")
            .select("p.id")
            .whereRef("p.account_id", "=", "a.id")
            .where("p.request_id", "=", id)
            .where("p.kind", "=", "primary"),
        ),
      ),
    )
    // As when the request began: none of them moves to another site meanwhile.
    .orderBy("a.id")
    .forKeyShare("a")
    .execute();
  return accounts.toSorted((a, b) => a.created_at.getTime() - b.created_at.getTime());
}

/** @returns false when a farm has it by now, or had it */
async function withdrawImport(trx: Trx, id: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom("links")
    .where("id", "=", id)
    .where("state", "=", "waiting")
    .where("holder", "is", null)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}
