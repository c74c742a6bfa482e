import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import { ApiError } from "../errors.ts";
import type { GroupRow, ManagerTables } from "../tables.ts";
import type { Making } from "./account-record.ts";
import { deleteGroup, insertGroup, type NewGroup } from "./groups.ts";
import { writeBatch } from "./import-batch.ts";
import { readRows, type ImportRow, type ReadRows } from "./import-rows.ts";
import { orderedIds } from "./ordered-ids.ts";
import type { SupportedSites } from "./supported-sites.ts";

type Db = Kysely<ManagerTables>;

/** An import whose rows are checked; nothing is written yet. */
export interface PreparedImport extends Pick<ReadRows, "rows" | "failed" | "problems"> {
  unsupported: number;
}

/** `rows` is what was given, `skipUnsupported` whether accounts that no farm drives are left out, or the whole import refused. */
export async function prepareImport(
  { rows: given, skipUnsupported }: { rows: readonly unknown[]; skipUnsupported: boolean },
  { supports }: SupportedSites,
): Promise<PreparedImport> {
  const { rows, failed, problems } = await readRows(given);
  const supported = rows.filter(({ site }) => supports(site));
  if (!skipUnsupported && supported.length < rows.length)
    throw new ApiError("unprocessable", `accounts: no farm drives ${listed(rows.filter(({ site }) => !supports(site)))}`);
  return { rows: supported, failed, problems, unsupported: rows.length - supported.length };
}

const MAX_LISTED = 100;

function listed(rows: readonly ImportRow[]): string {
  const sites = [...new Set(rows.map(({ site }) => site))];
  const more = sites.length - MAX_LISTED;
  return sites.slice(0, MAX_LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

export interface ImportCounters extends Pick<ReadRows, "failed" | "problems"> {
  imported: number;
  overwritten: number;
  duplicates: number;
  unsupported: number;
}

const BATCH_ROWS = 500;

/**
 * A batch is written at a time, each in a transaction of its own, and others are served in between. An import that ends in the
 * middle leaves whole batches, which are duplicates (or overwritten) when it is sent again. Of rows with one identity the later ones
 * are duplicates of the first.
 * @throws ApiError not_found when the owner has no such group, or no longer
 */
export async function writeImport(
  db: Db,
  { tenant, groupId, overwrite }: { tenant: string; groupId: string; overwrite: boolean },
  { rows, failed, problems, unsupported }: PreparedImport,
  making: Making,
): Promise<ImportCounters> {
  const into = { db, tenant, groupId, overwrite, making, nextId: orderedIds(making.now) };
  let [imported, overwritten] = [0, 0];
  for (let from = 0; from < rows.length; from += BATCH_ROWS) {
    const done = await writeBatch(into, rows.slice(from, from + BATCH_ROWS));
    imported += done.imported;
    overwritten += done.overwritten;
    await setImmediate();
  }
  return { imported, overwritten, duplicates: rows.length - imported - overwritten, unsupported, failed, problems };
}

/** A group made of an import. One that breaks off takes its group along, unless somebody uses that already. */
export async function importGroup(
  db: Db,
  made: NewGroup,
  prepared: PreparedImport,
  overwrite: boolean,
  making: Making,
): Promise<{ row: GroupRow; counted: ImportCounters }> {
  const row = await insertGroup(db, made, making.now);
  const { tenant } = made;
  try {
    return { row, counted: await writeImport(db, { tenant, groupId: row.id, overwrite }, prepared, making) };
  } catch (error) {
    // What broke it says more than what becomes of the group.
    await db
      .transaction()
      .execute(async (trx) => deleteGroup(trx, tenant, row.id))
      .catch(() => undefined);
    throw error;
  }
}
