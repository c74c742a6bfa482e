import { sql } from "kysely";
import type { Credentials, DriverCard } from "../contract/task.ts";
import { loginKeyOf, versionOf } from "./sign-in-guard.ts";
import { LOCAL } from "./source.ts";
import { heldTaskStates, type Database, type TaskRow } from "./tables.ts";

/** What the history of sign-ins knows an account's credentials by. */
export interface Login {
  key: string;
  version: string;
  /** As its submits were written down before they went by login. */
  former: { key: string; version: string };
}

export async function loginOf(
  { account_key: formerKey, host }: Pick<TaskRow, "account_key" | "host">,
  card: DriverCard,
  credentials: Credentials,
): Promise<Login> {
  const key = loginKeyOf(host, card, credentials) ?? formerKey;
  // What else an account has, such as its show, makes no other password of it.
  const [version, formerVersion] = await Promise.all([
    versionOf(key, { ...credentials, email: "", username: "" }),
    versionOf(formerKey, credentials),
  ]);
  return { key, version, former: { key: formerKey, version: formerVersion } };
}

/**
 * Whether the account's live session shows that these credentials work: not where the site last heard others, or refused these.
 * A session that was never begun by typing (a person's, the manager's cookie) is as good as it is for a task.
 */
export async function sessionProves(db: Database, accountKey: string, { key, version, former }: Login): Promise<boolean> {
  const last = await db
    .selectFrom("credential_submits")
    .select(["version", "verdict"])
    .where("account_key", "in", [key, former.key])
    .where("verdict", "in", ["accepted", "refused"])
    // Others with this login may have a password of their own.
    .where((one) => one.or([one("made_by", "is", null), one("made_by", "=", accountKey)]))
    .orderBy("at", "desc")
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return !last || (last.verdict === "accepted" && (last.version === version || last.version === former.version));
}

/**
 * In the transaction that takes the task: whether its login is at work for another source, or another of the farm's own accounts. The
 * queue tells accounts apart by what their source calls them. Several accounts of one manager with a login are its several shows, and
 * each has a session of its own.
 */
export async function isElsewhere(trx: Database, { id, source, login_key: login }: TaskRow): Promise<boolean> {
  if (login === "") return false;
  // Two that begin at once, in whatever processes, must not both find nobody.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`session:${login}`}, 0))`.execute(trx);
  const row = await trx
    .selectFrom("tasks")
    .select("id")
    .where("login_key", "=", login)
    .where("id", "!=", id)
    .where("state", "in", heldTaskStates)
    .$if(source !== LOCAL, (query) => query.where("source", "!=", source))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
