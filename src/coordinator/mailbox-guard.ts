import { scrypt } from "node:crypto";
import { promisify } from "node:util";
import type { Assignment, Credentials } from "../contract/task.ts";
import { usualServer, withoutTag } from "../kit/mail-server.ts";
import type { Database } from "./tables.ts";

/**
 * Mailboxes whose password was refused, by version of what one signs in with: neither they nor the sign-ins that need them
 * are tried again until it changes. Accounts that differ in their plus-tag share one.
 */
const derive = promisify(scrypt) as (password: string, salt: string, length: number) => Promise<Buffer>;

/** A row for nobody's site: the mailbox itself. */
const MAILBOX = "";

/** Names one version of a mailbox's credentials without giving them away; null: there are none. */
export async function mailboxVersionOf(
  { email, appPassword, passMail }: Pick<Credentials, "email" | "appPassword" | "passMail">,
  imap: Assignment["imap"],
): Promise<string | null> {
  const password = appPassword || passMail;
  if (!password) return null;
  const { host, port, user } = imap ?? usualServer(email);
  const name = JSON.stringify([host, port, user ?? withoutTag(email.toLowerCase())]);
  return (await derive(JSON.stringify([name, password]), name, 16)).toString("base64url");
}

/** @param site signing in there was not possible without the mailbox; null: only the mailbox itself */
export async function noteRefusedMailbox(db: Database, version: string, site: string | null, now: Date): Promise<void> {
  await db
    .insertInto("refused_mailboxes")
    .values([MAILBOX, ...(site === null ? [] : [site])].map((one) => ({ version, site: one, at: now })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** @param site does signing in there need it? null: was the mailbox itself refused? */
export async function isRefusedMailbox(db: Database, version: string, site: string | null): Promise<boolean> {
  const row = await db
    .selectFrom("refused_mailboxes")
    .select("at")
    .where("version", "=", version)
    .where("site", "=", site ?? MAILBOX)
    .executeTakeFirst();
  return row !== undefined;
}
