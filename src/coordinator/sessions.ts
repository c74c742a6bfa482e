import { browserState, type BrowserState, type SavedSession } from "../contract/task.ts";
import type { Vault } from "../store/vault.ts";
import { expiryOf } from "./session-expiry.ts";
import type { Database } from "./tables.ts";

/** The signed-in browser state of each account, sealed. Signing in is the exception. */
export interface Sessions {
  load(accountKey: string): Promise<BrowserState | null>;
  /** @param cookie the same session as `k=v; k2=v2` for the site's host */
  save(accountKey: string, state: BrowserState, cookie: string, now: Date, how: SavedSession): Promise<void>;
  /** The site knew it, or did not. */
  checked(accountKey: string, known: boolean, now: Date): Promise<void>;
  cookie(accountKey: string): Promise<string>;
  /** The site did not know it any more, or asks for a person in it. */
  hasEnded(accountKey: string): Promise<boolean>;
  /** Where the browser was stopped by something that a person has to do; null: nowhere. */
  stoppedAt(accountKey: string): Promise<string | null>;
}

const at = (part: "state" | "cookie" | "page", key: string): string => `sessions:${key}:${part}`;

export function openSessions(db: Database, vault: Vault): Sessions {
  const row = async (accountKey: string) => db.selectFrom("sessions").selectAll().where("account_key", "=", accountKey).executeTakeFirst();
  return {
    async load(accountKey) {
      const found = await row(accountKey);
      if (!found) return null;
      const parsed = browserState.safeParse(JSON.parse(vault.open(found.sealed_state, at("state", accountKey))));
      return parsed.success ? parsed.data : null;
    },
    async save(accountKey, state, cookie, now, how) {
      const values = {
        sealed_state: vault.seal(JSON.stringify(state), at("state", accountKey)),
        sealed_cookie: vault.seal(cookie, at("cookie", accountKey)),
        saved_at: now,
        expires_at: expiryOf(state),
        ...(how.kind === "begun" && { signed_in_at: now }),
        ...(how.kind === "stopped"
          ? { sealed_page: vault.seal(how.page, at("page", accountKey)) }
          : { sealed_page: null, checked_at: now, ended: false }),
      };
      await db
        .insertInto("sessions")
        .values({ account_key: accountKey, ...values })
        .onConflict((conflict) => conflict.column("account_key").doUpdateSet(values))
        .execute();
    },
    async checked(accountKey, known, now) {
      await db
        .updateTable("sessions")
        .set(known ? { checked_at: now, ended: false } : { ended: true })
        .where("account_key", "=", accountKey)
        .execute();
    },
    async cookie(accountKey) {
      const found = await row(accountKey);
      return found ? vault.open(found.sealed_cookie, at("cookie", accountKey)) : "";
    },
    async hasEnded(accountKey) {
      const found = await row(accountKey);
      return found !== undefined && (found.ended || found.sealed_page !== null);
    },
    async stoppedAt(accountKey) {
      const found = await row(accountKey);
      return found?.sealed_page ? vault.open(found.sealed_page, at("page", accountKey)) : null;
    },
  };
}
