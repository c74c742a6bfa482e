import type { StudioContext } from "./context.ts";
import { hashToken, newToken } from "./ids.ts";
import type { AccountsTable, SessionsTable, SessionStage } from "./schema.ts";

export const SESSION_DAYS = 30;
/** The second factor is due within this time after the password. */
const CODE_STAGE_MS = 15 * 60_000;
const DAY_MS = 86_400_000;

export interface Session {
  row: SessionsTable;
  account: AccountsTable;
  /** Proves that a form was made for this session. */
  csrf: string;
}

/** Tied to the cookie and of no use to get at it. */
export function csrfOf(token: string): string {
  return hashToken(`csrf:${token}`).slice(0, 43);
}

export interface Sessions {
  /** @returns the cookie's value */
  begin(accountId: string, stage: SessionStage, nextPath: string): Promise<string>;
  find(token: string): Promise<Session | null>;
  /** A new token for a session that has risen in rights: one that was planted before is worth nothing. */
  advance(id: string, stage: SessionStage): Promise<string>;
  set(id: string, change: Partial<Pick<SessionsTable, "human" | "saw_news">>): Promise<void>;
  end(id: string): Promise<void>;
  sweep(): Promise<void>;
}

export function openSessions({ db, clock }: StudioContext): Sessions {
  const lifeMs = (stage: SessionStage): number => (stage === "in" ? SESSION_DAYS * DAY_MS : CODE_STAGE_MS);
  return {
    async begin(accountId, stage, nextPath) {
      const token = newToken();
      const now = clock.now();
      await db
        .insertInto("sessions")
        .values({
          id: newToken(),
          token_hash: hashToken(token),
          account_id: accountId,
          stage,
          next_path: nextPath,
          human: false,
          saw_news: false,
          created_at: new Date(now),
          expires_at: new Date(now + lifeMs(stage)),
        })
        .execute();
      return token;
    },
    async find(token) {
      const row = await db
        .selectFrom("sessions")
        .selectAll()
        .where("token_hash", "=", hashToken(token))
        .where("expires_at", ">", new Date(clock.now()))
        .executeTakeFirst();
      if (!row) return null;
      const account = await db.selectFrom("accounts").selectAll().where("id", "=", row.account_id).executeTakeFirst();
      return account ? { row, account, csrf: csrfOf(token) } : null;
    },
    async advance(id, stage) {
      const token = newToken();
      await db
        .updateTable("sessions")
        .set({ token_hash: hashToken(token), stage, expires_at: new Date(clock.now() + lifeMs(stage)) })
        .where("id", "=", id)
        .execute();
      return token;
    },
    async set(id, change) {
      await db.updateTable("sessions").set(change).where("id", "=", id).execute();
    },
    async end(id) {
      await db.deleteFrom("sessions").where("id", "=", id).execute();
    },
    async sweep() {
      await db.deleteFrom("sessions").where("expires_at", "<", new Date(clock.now())).execute();
    },
  };
}
