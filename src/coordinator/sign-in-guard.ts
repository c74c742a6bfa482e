import { createHash, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { sql } from "kysely";
import type { FailureCode } from "../contract/failures.ts";
import type { Credentials, DriverCard, SubmitVerdict } from "../contract/task.ts";
import type { Database } from "./tables.ts";

/**
 * Signing in without ever locking an account. Decided from the history on disk alone, so that a crash or another farm
 * changes nothing: a submit is written before it is made.
 */
export interface Submit {
  at: number;
  version: string;
  /** null: made, and then nobody was left to say how it went. */
  verdict: SubmitVerdict | null;
  /** By another account of ours with the same login, which may be at it at this moment. */
  elsewhere?: boolean;
}

export type SignInAnswer =
  | { allowed: true }
  | { allowed: false; code: FailureCode; why: string; /** Epoch ms; null: not by waiting. */ until: number | null };

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MAX_SUBMITS_A_DAY = 3;
/** Sites lock at three wrong tries in a row, and forget them by the next day. */
const MAX_MAYBE_WRONG = 2;
/** A day, and what the clocks of a fleet may differ by. */
const REMEMBERED_MS = 25 * 60 * MINUTE_MS;
/** Spaces after the first and the second submit whose outcome is not known. */
const GAPS_MS = [15 * MINUTE_MS, 60 * MINUTE_MS] as const;
/** Signing in takes no longer. */
const IN_FLIGHT_MS = 15 * MINUTE_MS;
const TURN_MS = MINUTE_MS;
const REFUSED_ACCOUNTS = 3;
const REFUSED_WITHIN_MS = 10 * MINUTE_MS;
const SITE_PAUSE_MS = 60 * MINUTE_MS;

interface AtSite {
  accountKey: string;
  at: number;
}

/**
 * @param history of the login, oldest first
 * @param refusals of all accounts of the site, oldest first; for posting, of posting only
 * @param check nothing is to be posted: the last try of each budget is left for posting, and the site never pauses because of it.
 * `own`: the login's key; `inFlight`: submits at the site of which nobody has heard yet
 */
export function judgeSignIn(
  history: readonly Submit[],
  refusals: readonly AtSite[],
  version: string,
  now: number,
  check: { own: string; inFlight: readonly AtSite[] } | null = null,
): SignInAnswer {
  if (history.some((submit) => submit.version === version && submit.verdict === "refused"))
    return {
      allowed: false,
      code: "account.refused",
      why: "the site refused these credentials before; they are not tried again until they change",
      until: null,
    };

  const paused = sitePausedUntil(refusals);
  if (paused > now)
    return {
      allowed: false,
      code: "account.budget",
      why: "three accounts of this site were refused within 10 minutes; the site pauses",
      until: paused,
    };

  const crowded = check && crowdedUntil(check, refusals, now);
  if (crowded)
    return {
      allowed: false,
      code: "account.budget",
      why: "one more refusal could make the site pause for posting as well; this check waits until that is over",
      until: crowded,
    };

  if (history.some(({ elsewhere, verdict, at }) => elsewhere && verdict === null && at > now - IN_FLIGHT_MS))
    return {
      allowed: false,
      code: "account.budget",
      why: "another account with this login is just signing in; this one waits for its turn",
      until: now + TURN_MS,
    };

  // Shows behind one login each have a session of their own: that the others were let in is no harm.
  const lastDay = history.filter(({ at, elsewhere, verdict }) => at > now - DAY_MS && !(elsewhere && verdict === "accepted"));
  const oldest = lastDay.at(check ? 1 - MAX_SUBMITS_A_DAY : -MAX_SUBMITS_A_DAY);
  if (oldest)
    return {
      allowed: false,
      code: "account.budget",
      why: check
        ? `the last of ${MAX_SUBMITS_A_DAY} sign-in tries in 24 hours is left for posting`
        : `${MAX_SUBMITS_A_DAY} sign-in tries in 24 hours are used up`,
      until: oldest.at + DAY_MS,
    };

  const maybeWrong = history.slice(history.findLastIndex(({ verdict }) => verdict === "accepted") + 1).filter(isMaybeWrong);
  const leavesOne = check && (history.some(({ elsewhere }) => elsewhere) || !mayTakeLast(maybeWrong.at(-1), version));
  const second = maybeWrong.at(leavesOne ? 1 - MAX_MAYBE_WRONG : -MAX_MAYBE_WRONG);
  if (second && second.at + REMEMBERED_MS > now)
    return {
      allowed: false,
      code: "account.budget",
      why: leavesOne
        ? "the site may have counted a wrong try; the second that is safe within a day is left for posting"
        : "the site may have counted two wrong tries in a row; a third within a day could lock the account",
      until: second.at + REMEMBERED_MS,
    };

  const gap = gapMs(history);
  const last = history.at(-1);
  if (last && last.at + gap > now)
    return {
      allowed: false,
      code: "account.budget",
      why: "how the last sign-in went is not clear; the next try keeps its distance",
      until: last.at + gap,
    };
  return { allowed: true };
}

/** A try that nobody saw the end of counts as wrong. */
function isMaybeWrong({ verdict }: Submit): boolean {
  return verdict !== "accepted" && verdict !== "unjudged";
}

/**
 * A check may have posting's last try where posting could do nothing else with it, and no other account has the login: after a refusal the password was corrected,
 * and the corrected one is tried once, by whomever. And one that a crash cut off is tried once more, since it most often never left.
 */
function mayTakeLast(last: Submit | undefined, version: string): boolean {
  return last?.verdict === null || (last?.verdict === "refused" && last.version !== version);
}

/** Until when one more refusal could be the one that pauses the site. 0: not at all. */
function crowdedUntil({ own, inFlight }: { own: string; inFlight: readonly AtSite[] }, refusals: readonly AtSite[], now: number): number {
  const near = ({ accountKey, at }: AtSite): boolean => accountKey !== own && at > now - REFUSED_WITHIN_MS;
  const open = inFlight.filter(near);
  const latest = new Map<string, number>();
  for (const { accountKey, at } of [...refusals.filter(near), ...open]) latest.set(accountKey, Math.max(at, latest.get(accountKey) ?? 0));
  const last = [...latest.values()].toSorted((a, b) => b - a).at(REFUSED_ACCOUNTS - 2);
  if (last === undefined) return 0;
  const over = last + REFUSED_WITHIN_MS;
  return open.length > 0 ? Math.min(over, now + TURN_MS) : over;
}

/** A first submit that was cut off by a crash costs no wait: it most often never left. */
function gapMs(history: readonly Submit[]): number {
  const known = history.findLastIndex((submit) => submit.verdict === "accepted" || submit.verdict === "refused");
  const unclear = history.slice(known + 1);
  if (unclear.length === 0 || (unclear.length === 1 && unclear[0]?.verdict === null)) return 0;
  return GAPS_MS[Math.min(unclear.length, GAPS_MS.length) - 1] ?? 0;
}

/** 0: not paused. */
function sitePausedUntil(refusals: readonly AtSite[]): number {
  let until = 0;
  for (const last of refusals) {
    const within = refusals.filter((one) => one.at <= last.at && one.at > last.at - REFUSED_WITHIN_MS);
    if (new Set(within.map((one) => one.accountKey)).size >= REFUSED_ACCOUNTS) until = last.at + SITE_PAUSE_MS;
  }
  return until;
}

const derive = promisify(scrypt) as (password: string, salt: string, length: number) => Promise<Buffer>;

/** Names one version of an account's credentials without giving them away. */
export async function versionOf(accountKey: string, { email, username, password, twofa, apiToken }: Credentials): Promise<string> {
  // A token counts where there is one, so that the versions of all other accounts stay what they were.
  const signsIn = [email, username, password, twofa, ...(apiToken ? [apiToken] : [])];
  return (await derive(JSON.stringify(signsIn), accountKey, 16)).toString("base64url");
}

/**
 * What a site knows an account by: also where several groups have it, as several shows or in a rehearsal, there is one budget.
 * @param hosts of the driver: a site's other names are the same site
 * @returns null for an account without a name and a token
 */
export function loginKeyOf(
  host: string,
  { hosts, login }: Pick<DriverCard, "hosts" | "login">,
  { email, username, apiToken = "" }: Pick<Credentials, "email" | "username" | "apiToken">,
): string | null {
  const at = hosts.includes(host) ? hosts[0] : host;
  const names = [email, username].map((one) => one.trim().toLowerCase());
  const name = login === "email" ? names[0] || names[1] : names[1] || names[0];
  if (name) return `login:${JSON.stringify([at, name])}`;
  return apiToken === ""
    ? null
    : `token:${createHash("sha256")
        .update(JSON.stringify([at, apiToken]))
        .digest("base64url")}`;
}

export type TakenSubmit = { allowed: true; id: number } | Extract<SignInAnswer, { allowed: false }>;

/**
 * Asks, and if allowed writes the submit down in the same transaction. The caller flushes before anybody types.
 * @param account `madeBy`: which of the accounts with this login asks; `former`: how its submits were written down before they went by login;
 * `isCheck`: nothing is to be posted
 */
export async function takeSubmit(
  db: Database,
  account: { key: string; site: string; version: string; madeBy?: string; former?: { key: string; version: string }; isCheck?: boolean },
  now: Date,
): Promise<TakenSubmit> {
  return db.transaction().execute(async (trx) => {
    // Before the first submit there is no row to lock: two who ask at once must not both find none.
    await sql`select pg_advisory_xact_lock(hashtextextended(${account.key}, 0))`.execute(trx);
    // A check has to see all that is under way at the site; others need not see each other. Always after the login's own lock.
    const lock = account.isCheck ? sql`pg_advisory_xact_lock` : sql`pg_advisory_xact_lock_shared`;
    await sql`select ${lock}(hashtextextended(${`site:${account.site}`}, 0))`.execute(trx);
    const rows = await trx
      .selectFrom("credential_submits")
      .selectAll()
      .where("account_key", "in", [account.key, ...(account.former ? [account.former.key] : [])])
      .orderBy("at")
      .orderBy("id")
      .execute();
    const refusals = await trx
      .selectFrom("credential_submits")
      .select(["account_key", "at"])
      .where("site", "=", account.site)
      .where("verdict", "=", "refused")
      // However many accounts are checked, posting goes on.
      .$if(!account.isCheck, (query) => query.where("by_check", "=", false))
      .where("at", ">", new Date(now.getTime() - SITE_PAUSE_MS - REFUSED_WITHIN_MS))
      .orderBy("at")
      .execute();
    const inFlight = account.isCheck ? await inFlightAt(trx, account.site, now) : [];
    const answer = judgeSignIn(
      rows.map((row) => ({
        at: row.at.getTime(),
        version: row.version === account.former?.version ? account.version : row.version,
        verdict: row.verdict,
        elsewhere: row.made_by !== null && row.made_by !== (account.madeBy ?? null),
      })),
      refusals.map((row) => ({ accountKey: row.account_key, at: row.at.getTime() })),
      account.version,
      now.getTime(),
      account.isCheck ? { own: account.key, inFlight } : null,
    );
    if (!answer.allowed) return answer;
    const { id } = await trx
      .insertInto("credential_submits")
      .values({
        account_key: account.key,
        site: account.site,
        version: account.version,
        made_by: account.madeBy ?? null,
        by_check: account.isCheck ?? false,
        at: now,
        verdict: null,
      })
      .returning("id")
      .executeTakeFirstOrThrow();
    return { allowed: true, id };
  });
}

async function inFlightAt(db: Database, site: string, now: Date): Promise<AtSite[]> {
  const rows = await db
    .selectFrom("credential_submits")
    .select(["account_key", "at"])
    .where("site", "=", site)
    .where("verdict", "is", null)
    .where("at", ">", new Date(now.getTime() - REFUSED_WITHIN_MS))
    .execute();
  return rows.map((row) => ({ accountKey: row.account_key, at: row.at.getTime() }));
}

/** How a submit went. A word on it that comes later, from one who was frozen meanwhile, changes nothing. */
export async function judgeSubmit(db: Database, id: number, verdict: SubmitVerdict): Promise<void> {
  await db.updateTable("credential_submits").set({ verdict }).where("id", "=", id).where("verdict", "is", null).execute();
}
