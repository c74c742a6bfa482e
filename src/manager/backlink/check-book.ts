import type { Kysely, Selectable, Transaction } from "kysely";
import type { Log } from "../../kit/log.ts";
import { redact } from "../../kit/redact.ts";
import type { Vault } from "../../store/vault.ts";
import { knowSecrets, openSecrets, UNREADABLE } from "../accounts.ts";
import type { Caller } from "../caller.ts";
import { ApiError } from "../errors.ts";
import { record } from "../history.ts";
import type { AccountRow, ManagerTables } from "../tables.ts";
import { claimChecks, type CheckOrder } from "./claim-checks.ts";
import { noteSignIn, type SignInOutcome } from "./sign-in-outcome.ts";
import { notFound } from "./tenant.ts";

type Trx = Transaction<ManagerTables>;
type CheckRow = Selectable<ManagerTables["account_checks"]>;

/** A sign-in that a farm is asked to try; "" where a secret is absent. */
export interface CheckAnswer extends Record<
  "email" | "username" | "password" | "pass_mail" | "twofa" | "app_password" | "api_token" | "cookie",
  string
> {
  id: string;
  account_id: string;
  /** Host of the site, with its port where that is not the default. */
  domain: string;
}

/** What farms may do to checks. Each method is one transaction: the change and its row in the history. */
export interface CheckBook {
  /** Claims for 15 minutes and hands out; the caller's own again. */
  pull(caller: Caller, order: CheckOrder): Promise<CheckAnswer[]>;
  /** @throws ApiError not_found; task_claimed while another holds it; bad_transition when the caller has not claimed it, or it ended otherwise */
  report(caller: Caller, id: string, outcome: SignInOutcome): Promise<void>;
}

const NO_REASON = "no reason was given";

export function createCheckBook({
  db,
  vault,
  log,
  now: nowMs,
}: {
  db: Kysely<ManagerTables>;
  vault: Vault;
  log: Log;
  now: () => number;
}): CheckBook {
  return {
    async pull(caller, order) {
      if (order.sites?.length === 0) return [];
      const now = new Date(nowMs());
      const broken: string[] = [];
      const answers = await db.transaction().execute(async (trx) => {
        const claimed = await claimChecks(trx, caller, order, now);
        const accounts = await accountsOfChecks(
          trx,
          claimed.map(({ id }) => id),
        );
        const handed = claimed.flatMap(({ id, fresh }) => {
          try {
            const account = accounts.get(id);
            return account ? [{ fresh, answer: toAnswer(id, account, vault) }] : [];
          } catch (error) {
            log.error(`the secrets of the check's account can't be opened: ${String(error)}`, { check: id });
            broken.push(id);
            return [];
          }
        });
        const fresh = handed.filter((one) => one.fresh).map(({ answer }) => answer.id);
        await record(
          trx,
          caller,
          fresh.map((id) => ({ action: "checks" as const, taskId: id, status: 200, code: "ok" })),
          now,
        );
        return handed.map(({ answer }) => answer);
      });
      for (const id of broken)
        await db.transaction().execute(async (trx) => {
          const found = await findLocked(trx, id);
          // Gone, asked for again with other secrets, or somebody else's by now.
          if (found?.check.state !== "claimed" || found.check.holder !== caller.holder) return;
          await end(trx, id, found.account, { ok: false, error_message: UNREADABLE }, now);
        });
      return answers;
    },

    async report(caller, id, { ok, error_message = "" }) {
      const now = new Date(nowMs());
      await db.transaction().execute(async (trx) => {
        const found = await findLocked(trx, id);
        if (!found) throw notFound();
        const { check, account } = found;
        const mine = check.holder === caller.holder;
        if (!mine && check.state === "claimed" && check.lease_until && check.lease_until > now) throw new ApiError("task_claimed");
        const repeated = check.state === (ok ? "passed" : "failed");
        if (!mine || (check.state !== "claimed" && !repeated)) throw new ApiError("bad_transition");
        // What a worker says went wrong may quote what it typed, and another manager may have handed that out.
        if (!ok) knowSecrets(vault, account);
        if (!repeated) await end(trx, id, account, { ok, error_message: ok ? "" : redact(error_message).trim() || NO_REASON }, now);
        await record(trx, caller, [{ action: "check", taskId: id, status: 200, code: repeated ? "repeated" : "ok" }], now);
      });
    },
  };
}

/** First the account, as whoever changes it does: two that lock in another order would wait for each other. */
async function findLocked(trx: Trx, id: string): Promise<{ check: CheckRow; account: AccountRow } | null> {
  const account = await trx
    .selectFrom("accounts as a")
    .selectAll("a")
    .where("a.id", "in", (eb) => eb.selectFrom("account_checks as c").select("c.account_id").where("c.id", "=", id))
    .forUpdate("a")
    .executeTakeFirst();
  const check = await trx.selectFrom("account_checks").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
  return account && check ? { check, account } : null;
}

async function accountsOfChecks(trx: Trx, ids: readonly string[]): Promise<Map<string, AccountRow>> {
  if (ids.length === 0) return new Map();
  const rows = await trx
    .selectFrom("account_checks as c")
    .innerJoin("accounts as a", "a.id", "c.account_id")
    .selectAll("a")
    .select("c.id as check_id")
    .where("c.id", "in", ids)
    .execute();
  return new Map(rows.map(({ check_id, ...account }) => [check_id, account]));
}

function toAnswer(id: string, account: AccountRow, vault: Vault): CheckAnswer {
  const { site: domain, email, username } = account;
  return { id, account_id: account.id, domain, email, username, ...openSecrets(vault, account) };
}

async function end(trx: Trx, id: string, account: AccountRow, { ok, error_message = "" }: SignInOutcome, now: Date): Promise<void> {
  await trx
    .updateTable("account_checks")
    .set({ state: ok ? "passed" : "failed", error_message, lease_until: null, ended_at: now })
    .where("id", "=", id)
    .execute();
  await noteSignIn(trx, account, { ok, error_message }, now);
}
