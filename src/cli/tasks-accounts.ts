import { styleText } from "node:util";
import { account as exported } from "../contract/backlink-api.ts";
import { accountRow, taskRoutes } from "../contract/task-api.ts";
import type { Config } from "../kit/config.ts";
import { askTasks } from "./farm-client.ts";
import { readRows } from "./rows-file.ts";
import { harmless, table } from "./table.ts";

/** So much goes in one call. */
const BATCH_ROWS = 1000;
const SHOWN_PROBLEMS = 20;

const taken = Object.keys(accountRow.shape);
/** An export of the manager's comes in as it is. */
const columns = { taken, ignored: Object.keys(exported.shape).filter((name) => !taken.includes(name)) } as const;
const ofFolder = { folder: true } as const;

/** Accounts of a CSV or JSON file into the farm's own book. Run again it changes nothing. @returns 1 when a row failed */
export async function importAccounts(config: Config, file: string): Promise<number> {
  const rows = await readRows(file, { list: "accounts", needed: "website", columns });
  const sum = { imported: 0, updated: 0, failed: 0 };
  const problems: string[] = [];
  for (let done = 0; done < rows.length; done += BATCH_ROWS) {
    const accounts = rows.slice(done, done + BATCH_ROWS);
    const answer = await askTasks(config, taskRoutes.importAccounts.answer, "POST", "/account/import", { accounts }, ofFolder);
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += answer[key];
    problems.push(...answer.problems.map(({ row, problem }) => `Row ${done + row}: ${problem}`));
  }
  for (const problem of problems.slice(0, SHOWN_PROBLEMS))
    process.stderr.write(`${styleText("yellow", harmless(problem), { stream: process.stderr })}\n`);
  if (problems.length > SHOWN_PROBLEMS) process.stderr.write(`… and ${problems.length - SHOWN_PROBLEMS} more rows that failed.\n`);
  process.stdout.write(`${JSON.stringify(sum)}\n`);
  return sum.failed > 0 ? 1 : 0;
}

export async function listAccounts(config: Config): Promise<number> {
  const { accounts } = await askTasks(config, taskRoutes.listAccounts.answer, "GET", "/account", undefined, ofFolder);
  const rows = accounts.map(({ website, email, username, serial, created_at }) => [
    email || username,
    website,
    serial,
    created_at.slice(0, 10),
  ]);
  process.stdout.write(`${table([["ACCOUNT", "SITE", "SLOT", "SINCE"], ...rows])}\n`);
  return 0;
}

export async function removeAccount(config: Config, username: string): Promise<number> {
  await askTasks(config, taskRoutes.removeAccount.answer, "POST", "/account/remove", { username }, ofFolder);
  process.stdout.write(`${harmless(username)} is forgotten.\n`);
  return 0;
}
