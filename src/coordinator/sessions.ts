import { browserState, type BrowserState } from "../contract/task.ts";
import type { Vault } from "../store/vault.ts";
import type { Database } from "./tables.ts";

/** The signed-in browser state of each account, sealed. Signing in is the exception. */
export interface Sessions {
  load(accountKey: string): Promise<BrowserState | null>;
  /** @param cookie the same session as `k=v; k2=v2` for the site's host */
  save(accountKey: string, state: BrowserState, cookie: string, now: Date): Promise<void>;
  cookie(accountKey: string): Promise<string>;
}

const stateAt = (key: string): string => `sessions:${key}:state`;
const cookieAt = (key: string): string => `sessions:${key}:cookie`;

export function openSessions(db: Database, vault: Vault): Sessions {
  const row = async (accountKey: string) => db.selectFrom("sessions").selectAll().where("account_key", "=", accountKey).executeTakeFirst();
  return {
    async load(accountKey) {
      const found = await row(accountKey);
      if (!found) return null;
      const parsed = browserState.safeParse(JSON.parse(vault.open(found.sealed_state, stateAt(accountKey))));
      return parsed.success ? parsed.data : null;
    },
    async save(accountKey, state, cookie, now) {
      const values = {
        sealed_state: vault.seal(JSON.stringify(state), stateAt(accountKey)),
        sealed_cookie: vault.seal(cookie, cookieAt(accountKey)),
        saved_at: now,
      };
      await db
        .insertInto("sessions")
        .values({ account_key: accountKey, ...values })
        .onConflict((conflict) => conflict.column("account_key").doUpdateSet(values))
        .execute();
    },
    async cookie(accountKey) {
      const found = await row(accountKey);
      return found ? vault.open(found.sealed_cookie, cookieAt(accountKey)) : "";
    },
  };
}
