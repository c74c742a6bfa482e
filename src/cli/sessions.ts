import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { styleText } from "node:util";
import type { SessionView } from "../coordinator/session-list.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { askFarm } from "./farm-client.ts";
import { styled, table } from "./table.ts";

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;

async function ask(config: Config): Promise<SessionView[]> {
  const answer = await askFarm(config, "/api/v1/farm/sessions");
  if (answer.status !== 200) throw new UsageError(`The farm does not tell: ${answer.message}.`);
  return answer.data as SessionView[];
}

/** Who is signed in, until when, and who will need a code then. */
export async function listSessions(config: Config, json: boolean): Promise<number> {
  const sessions = await ask(config);
  if (json) process.stdout.write(`${JSON.stringify(sessions)}\n`);
  else if (sessions.length === 0) process.stdout.write("No account has had a task yet.\n");
  else process.stdout.write(`${describeSessions(sessions, Date.now())}\n`);
  return 0;
}

export function describeSessions(sessions: readonly SessionView[], now: number): string {
  const rows = sessions.map((one) => [
    one.account,
    one.site,
    one.state === "none" ? "not signed in" : one.signedInAt ? since(one.signedInAt, now) : "unknown",
    one.state === "none" ? "" : one.state === "ended" ? styled("yellow", "ended") : one.expiresAt ? until(one.expiresAt, now) : "unknown",
    one.checkedAt ? since(one.checkedAt, now) : "never",
    one.waits ? styled("red", `a person: ${one.waits.slice(0, 60)}`) : `${need(one)} ${when(one, now)}`.trim(),
  ]);
  return table([["ACCOUNT", "SITE", "SIGNED IN", "EXPIRES", "LAST SEEN VALID", "NEEDS"], ...rows]);
}

const need = ({ needs }: SessionView): string => (needs === "nothing more" ? "password" : `password and ${needs}`);

function when({ state, expiresAt }: SessionView, now: number): string {
  if (state !== "in") return "at its next task";
  return expiresAt ? until(expiresAt, now) : "when the site ends the session";
}

function since(time: string, now: number): string {
  return `${span(now - Date.parse(time))} ago`;
}

function until(time: string, now: number): string {
  return `in ${span(Date.parse(time) - now)}`;
}

function span(ms: number): string {
  if (ms < HOUR_MS) return `${Math.max(1, Math.round(ms / 60_000))} min`;
  return ms < 2 * DAY_MS ? `${Math.round(ms / HOUR_MS)} h` : `${Math.round(ms / DAY_MS)} days`;
}

/** Writes an account's browser state (Playwright's storageState) to a file that only its owner can read. */
export async function exportSession(config: Config, account: string, file: string | undefined): Promise<number> {
  const known = (await ask(config)).filter((one) => one.accountKey === account || one.account === account);
  const [only, other] = known;
  if (!only) throw new UsageError(`No account is called ${account}. \`podcrew sessions\` lists them.`);
  if (other)
    throw new UsageError(`Several accounts are called ${account}. Name one by its key: ${known.map((one) => one.accountKey).join(", ")}.`);
  const answer = await askFarm(config, "/api/v1/farm/sessions/export", { accountKey: only.accountKey }, { secret: true });
  if (answer.status !== 200) throw new UsageError(`The farm does not export that: ${answer.message}.`);
  const path = resolve(file ?? `${only.account.replace(/[^\w.@-]/g, "_")}.${only.site}.session.json`);
  await writeNew(path, `${JSON.stringify(answer.data, null, 2)}\n`);
  process.stdout.write(`${path}\n`);
  process.stderr.write(
    `${styleText("yellow", "Whoever has this file is signed in as")} ${only.account} at ${only.site}, without password or code. Delete it after use.\n`,
  );
  return 0;
}

/** Never into a file that is there: its readers would stay. */
async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") throw new UsageError(`${path} is there already. Remove it, or name another file: --to FILE.`);
    throw new UsageError(`${path} can't be written (${error.code}). Name another file: --to FILE.`);
  });
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
