import { basename, extname } from "node:path";
import { styleText } from "node:util";
import { parse } from "csv-parse/sync";
import { account, accountBody, secretNames, serviceTypes, type ServiceType } from "../contract/backlink-api.ts";
import type { ApiClient } from "../kit/api-client.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { managerClient } from "./manager-client.ts";
import { counted, showBatches } from "./progress.ts";
import { harmless, table } from "./table.ts";
import { readRows } from "./rows-file.ts";
import { formatOf, writeOut } from "./write-out.ts";

/** So much goes in one call, so that progress is seen and no call comes near the manager's limit. */
const BATCH_ROWS = 1000;
const BATCH_CHARACTERS = 4_000_000;
const SHOWN_PROBLEMS = 20;

type Accounts = ApiClient["accounts"];

const columns = { taken: Object.keys(accountBody.shape), ignored: Object.keys(account.shape) } as const;

export interface ImportOptions {
  /** Into this group; absent: the one of that name, or a new one. */
  group?: string;
  name?: string;
  type: string;
  overwrite?: boolean;
}

/**
 * Accounts of a CSV or JSON file, as an export has them. Run again it goes on where it was broken off: what is there already counts
 * as duplicates.
 * @returns 1 when a row failed
 */
export async function importGroup(config: Config, file: string, options: ImportOptions): Promise<number> {
  const type = serviceTypeOf(options.type);
  const rows = await readRows(file, { list: "accounts", needed: "website", columns });
  const { accounts } = await managerClient(config);
  const group = options.group ?? (await groupOfName(accounts, (options.name ?? basename(file, extname(file))).trim(), type));
  const sum = { imported: 0, overwritten: 0, duplicates: 0, unsupported: 0, failed: 0 };
  const problems: string[] = [];
  const progress = showBatches(rows.length, "rows");
  let done = 0;
  try {
    for (const batch of batchesOf(rows)) {
      const body = { accounts: batch, overwrite: options.overwrite ?? false };
      const answer = await accounts.importAccounts({ params: { id: group }, body });
      for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += answer[key];
      problems.push(...answer.problems.map(({ row, problem }) => problem.replace(/^Row \d+/, `Row ${(done + row).toLocaleString("en")}`)));
      progress.show((done += batch.length), counted(sum));
    }
  } catch (cause) {
    progress.end();
    if (!(cause instanceof UsageError)) throw cause;
    const so = `${done.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows are through, in group ${group}.`;
    throw new UsageError(`${cause.message}\n${so} Run the command again to go on; what is there already counts as duplicates.`, { cause });
  }
  progress.end();
  for (const problem of problems.slice(0, SHOWN_PROBLEMS))
    process.stderr.write(`${styleText("yellow", harmless(problem), { stream: process.stderr })}\n`);
  if (sum.failed > SHOWN_PROBLEMS)
    process.stderr.write(`… and ${(sum.failed - SHOWN_PROBLEMS).toLocaleString("en")} more rows that failed.\n`);
  process.stderr.write(`Group ${group}: ${counted(sum) || "nothing"}.\n`);
  process.stdout.write(`${JSON.stringify({ group, ...sum })}\n`);
  return sum.failed > 0 ? 1 : 0;
}

export async function listGroups(config: Config): Promise<number> {
  const { accounts } = await managerClient(config);
  const { data, total } = await accounts.listGroups({ query: { limit: 100 } });
  const rows = data.map((group) => [group.id, group.name, group.service_type, group.result, group.status, group.created_at.slice(0, 10)]);
  process.stdout.write(`${table([["ID", "NAME", "TYPE", "ACTIVE", "STATUS", "SINCE"], ...rows])}\n`);
  if (total > data.length) process.stderr.write(`The newest ${data.length} of ${total.toLocaleString("en")}.\n`);
  return 0;
}

/** @param out a file that ends in .csv or .json; absent: JSON to stdout  @param secrets as they are, for owners; else none unless the manager reveals them to all */
export async function exportGroup(config: Config, id: string, { out, secrets }: { out?: string; secrets?: boolean }): Promise<number> {
  const { accounts } = await managerClient(config, secrets ? "secrets:read" : undefined);
  const answer = await accounts.exportGroup({ params: { id }, query: { format: formatOf(out) } });
  await writeOut(out, answer);
  const rows = typeof answer === "string" ? parse<Record<string, unknown>>(answer, { columns: true, bom: true }) : answer.accounts;
  const hasSome = rows.some((row) => secretNames.some((name) => Boolean(row[name])));
  if (out) process.stderr.write(`${out} is written, ${hasSome ? "with passwords or other secrets in it" : "without secrets"}.\n`);
  return 0;
}

/** One of that name and type is gone on with. @throws UsageError when there are several */
async function groupOfName(accounts: Accounts, name: string, service_type: ServiceType): Promise<string> {
  const same: { id: string; name: string }[] = [];
  for (let page = 1, all = 1; (page - 1) * 100 < all; page += 1) {
    const { data, total } = await accounts.listGroups({ query: { search: name.slice(0, 200), service_type, page, limit: 100 } });
    same.push(...data.filter((group) => group.name === name));
    all = total;
  }
  if (same.length > 1)
    throw new UsageError(`There are ${same.length} groups named ${name}; say which by --group ID (\`podcrew groups list\`).`);
  if (same[0]) {
    process.stderr.write(`Into the group ${name} that is there.\n`);
    return same[0].id;
  }
  const made = await accounts.createGroup({ body: { name, service_type } });
  return "group" in made ? made.group.id : made.id;
}

export function serviceTypeOf(type: string): ServiceType {
  const found = serviceTypes.find((one) => one === type);
  if (!found) throw new UsageError(`The type ${type} is none; it is one of ${serviceTypes.join(", ")}.`);
  return found;
}

function* batchesOf<Row>(rows: readonly Row[]): Generator<Row[]> {
  let batch: Row[] = [];
  let characters = 0;
  for (const row of rows) {
    const more = JSON.stringify(row).length;
    if (batch.length > 0 && (batch.length >= BATCH_ROWS || characters + more > BATCH_CHARACTERS)) {
      yield batch;
      [batch, characters] = [[], 0];
    }
    batch.push(row);
    characters += more;
  }
  if (batch.length > 0) yield batch;
}
