import { setImmediate } from "node:timers/promises";
import { accountBody } from "../../contract/backlink-api.ts";
import { NO_LOGIN, NO_SITE, loginOfInput, siteOf, type AccountIdentity, type AccountInput } from "./account-record.ts";

/** A row that may become an account. */
export interface ImportRow extends AccountIdentity {
  input: AccountInput;
  /** The identity as one text. */
  key: string;
}

export interface ReadRows {
  rows: ImportRow[];
  failed: number;
  /** Why the first of the others can't; rows from 1. No value stands in them. */
  problems: { row: number; problem: string }[];
}

const MAX_PROBLEMS = 100;
/** Others are served in between. */
const ROWS_AT_A_TIME = 500;

/** Checks each row by itself. */
export async function readRows(given: readonly unknown[]): Promise<ReadRows> {
  const read: ReadRows = { rows: [], failed: 0, problems: [] };
  for (const [index, one] of given.entries()) {
    if (index % ROWS_AT_A_TIME === ROWS_AT_A_TIME - 1) await setImmediate();
    const row = readRow(one);
    if (typeof row !== "string") {
      read.rows.push(row);
      continue;
    }
    read.failed += 1;
    if (read.problems.length < MAX_PROBLEMS) read.problems.push({ row: index + 1, problem: `Row ${index + 1}: ${row}.` });
  }
  return read;
}

export const keyOf = ({ site, login }: AccountIdentity): string => `${site} ${login}`;

/** @returns what is wrong with it, or the row */
function readRow(given: unknown): ImportRow | string {
  const parsed = accountBody.safeParse(given);
  if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join(".") || "the row"}: ${issue.message}`).join("; ");
  const [site, login] = [siteOf(parsed.data.website), loginOfInput(parsed.data)];
  if (site === null) return NO_SITE;
  if (login === "") return NO_LOGIN;
  return { site, login, input: parsed.data, key: keyOf({ site, login }) };
}
