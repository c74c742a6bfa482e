import type { Ledger } from "./ledger.ts";

/** An account's session, for people. Times are ISO 8601; null: not known. */
export interface SessionView {
  accountKey: string;
  account: string;
  site: string;
  /** in: the site knew it when it was last asked. ended: it did not. none: there is none. */
  state: "in" | "ended" | "none";
  signedInAt: string | null;
  checkedAt: string | null;
  /** By the site's own cookies; it may end earlier. */
  expiresAt: string | null;
  /** What signing in takes then, beside the password. */
  needs: "authenticator code" | "mailed code" | "nothing more";
  /** Can be signed in to without anybody; a word for a person where not. */
  waits: string | null;
}

/** One row an account that a task was ever for, those that end first on top. */
export async function listSessions(ledger: Ledger): Promise<SessionView[]> {
  const tasks = await ledger.db
    .selectFrom("tasks")
    .distinctOn("account_key")
    .selectAll()
    .orderBy("account_key")
    .orderBy("updated_at", "desc")
    .execute();
  const sessions = new Map((await ledger.db.selectFrom("sessions").selectAll().execute()).map((row) => [row.account_key, row]));
  const now = ledger.now();
  const views = await Promise.all(
    tasks.map(async (task): Promise<SessionView> => {
      const session = sessions.get(task.account_key);
      const { twofa, appPassword, passMail } = ledger.credentials(task);
      const over = session && (session.ended || (session.expires_at !== null && session.expires_at <= now));
      const stop = await ledger.stopOf(task);
      return {
        accountKey: task.account_key,
        account: task.account_name,
        site: task.site,
        state: !session || session.sealed_page !== null ? "none" : over ? "ended" : "in",
        signedInAt: session?.signed_in_at?.toISOString() ?? null,
        checkedAt: session?.checked_at?.toISOString() ?? null,
        expiresAt: session?.expires_at?.toISOString() ?? null,
        needs: twofa ? "authenticator code" : appPassword || passMail ? "mailed code" : "nothing more",
        waits: stop ? stop.failure.detail || stop.failure.code : null,
      };
    }),
  );
  const rank = { none: 0, ended: 1, in: 2 } as const;
  return views.sort(
    (a, b) => rank[a.state] - rank[b.state] || (a.expiresAt ?? "9").localeCompare(b.expiresAt ?? "9") || a.account.localeCompare(b.account),
  );
}
