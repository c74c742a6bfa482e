import { sql } from "kysely";
import { newToken } from "../ids.ts";
import type { StudioDb } from "../schema.ts";

/** Longer than a store takes to answer or to give up: after it, who takes a file away has died. */
const lease = sql<Date>`now() - interval '10 minutes'`;
/** Longer than any upload is between its look at the removals and its row. */
const forgotten = sql<Date>`now() - interval '1 day'`;

export interface Removal {
  /** Of this one time. */
  token: string;
  /** The file may go at any moment. */
  underWay: boolean;
}

/** The last time that files of a content were taken away. @returns null: never, or long ago */
export async function lastRemoval(db: StudioDb, content: string): Promise<Removal | null> {
  const row = await db
    .selectFrom("media_removals")
    .select(["token", (eb) => eb.and([eb("done", "=", false), eb("since", ">", lease)]).as("underWay")])
    .where("content", "=", content)
    .executeTakeFirst();
  return row ? { token: row.token, underWay: Boolean(row.underWay) } : null;
}

/** Alone with the lock of the media, once nobody points to the content. @returns null when somebody else is at it */
export async function beginRemoval(trx: StudioDb, content: string): Promise<string | null> {
  const token = newToken();
  const mine = { token, since: sql<Date>`now()`, done: false };
  const begun = await trx
    .insertInto("media_removals")
    .values({ content, ...mine })
    .onConflict((conflict) =>
      conflict
        .column("content")
        .doUpdateSet(mine)
        .where((eb) => eb.or([eb("media_removals.done", "=", true), eb("media_removals.since", "<=", lease)])),
    )
    .executeTakeFirst();
  return begun.numInsertedOrUpdatedRows ? token : null;
}

export async function endRemoval(db: StudioDb, token: string): Promise<void> {
  await db.updateTable("media_removals").set({ done: true }).where("token", "=", token).execute();
}

export async function forgetRemovals(db: StudioDb): Promise<void> {
  await db.deleteFrom("media_removals").where("since", "<", forgotten).execute();
}
