import { randomInt, randomUUID } from "node:crypto";
import { createGuardrails, verifySync } from "otplib";
import { sql } from "kysely";
import { UsageError } from "../kit/config.ts";
import type { StudioContext } from "./context.ts";
import { hashPassword, verifyPassword } from "../kit/passwords.ts";
import type { AccountsTable } from "./schema.ts";
import { texts } from "./texts.ts";

const STEP_SECONDS = 30;
/** A clock may be off by one step, or the code may be typed slowly. */
const TOLERANCE_SECONDS = 30;
const CODE_LIFE_MS = 10 * 60_000;
const CODE_PAUSE_MS = 30_000;
const CODE_TRIES = 5;
/** Real sites issue seeds of 80 bits. */
const guardrails = createGuardrails({ MIN_SECRET_BYTES: 10 });

/** Where the vault ties an account's seed to. */
export const totpAad = (accountId: string): string => `accounts:${accountId}:totp_secret`;

/** @returns the bare Base32 seed. @throws UsageError when it is none */
export function parseTotpSecret(text: string): string {
  const bare = text.startsWith("otpauth://") ? (new URL(text).searchParams.get("secret") ?? "") : text;
  const secret = bare.replace(/[\s=-]/g, "").toUpperCase();
  if (!/^[A-Z2-7]{16,}$/.test(secret))
    throw new UsageError("The authenticator secret is not Base32 of at least 16 characters. Leave it out to have one made.");
  return secret;
}

/** True once for a code: the step it belongs to is taken, so that nobody can use what was read over a shoulder. */
export async function takeTotpCode({ db, vault, clock }: StudioContext, account: AccountsTable, code: string): Promise<boolean> {
  if (!account.totp_sealed || !/^\d{6}$/.test(code)) return false;
  const secret = vault.open(account.totp_sealed, totpAad(account.id));
  const result = verifySync({ secret, token: code, epoch: Math.floor(clock.now() / 1000), epochTolerance: TOLERANCE_SECONDS, guardrails });
  if (!result.valid) return false;
  const step = Math.floor(clock.now() / 1000 / STEP_SECONDS) + result.delta;
  await db
    .deleteFrom("totp_used")
    .where("account_id", "=", account.id)
    .where("step", "<", step - 10)
    .execute();
  const taken = await db
    .insertInto("totp_used")
    .values({ account_id: account.id, step })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Boolean(taken.numInsertedOrUpdatedRows);
}

export type MailingResult = { sent: true } | { sent: false; waitMs: number } | { sent: false; problem: "mail" };

/** Mails a new code, at most one per 30 s; older codes are worth nothing from then on. */
export async function mailCode(context: StudioContext, account: AccountsTable): Promise<MailingResult> {
  const { db, clock, mailer, log } = context;
  const newest = await db
    .selectFrom("mailed_codes")
    .select("created_at")
    .where("account_id", "=", account.id)
    .orderBy("created_at", "desc")
    .executeTakeFirst();
  const waitMs = newest ? newest.created_at.getTime() + CODE_PAUSE_MS - clock.now() : 0;
  if (waitMs > 0) return { sent: false, waitMs };
  const code = String(randomInt(1_000_000)).padStart(6, "0");
  const id = randomUUID();
  const now = clock.now();
  // The row comes first: a code that nobody can check must not be in a mailbox.
  await db
    .insertInto("mailed_codes")
    .values({
      id,
      account_id: account.id,
      code_hash: await hashPassword(code),
      tries: 0,
      created_at: new Date(now),
      expires_at: new Date(now + CODE_LIFE_MS),
      used_at: null,
    })
    .execute();
  const t = texts[account.locale];
  try {
    if (!mailer) throw new Error("no mail server is configured");
    await mailer.send({ to: account.email, subject: t.mailSubject(code), text: t.mailText(code), html: t.mailHtml(code) });
    return { sent: true };
  } catch (error) {
    log.error("the sign-in code could not be mailed", { account: account.email, error: (error as Error).message });
    await db.deleteFrom("mailed_codes").where("id", "=", id).execute();
    return { sent: false, problem: "mail" };
  }
}

/** True once, for the newest code, within its life and its five tries. */
export async function takeMailedCode({ db, clock }: StudioContext, account: AccountsTable, code: string): Promise<boolean> {
  const newest = await db
    .selectFrom("mailed_codes")
    .select("id")
    .where("account_id", "=", account.id)
    .orderBy("created_at", "desc")
    .executeTakeFirst();
  if (!newest || !/^\d{6}$/.test(code)) return false;
  // The try is counted before the code is looked at: many at once get no more than five.
  const row = await db
    .updateTable("mailed_codes")
    .set({ tries: sql<number>`tries + 1` })
    .where("id", "=", newest.id)
    .where("tries", "<", CODE_TRIES)
    .where("used_at", "is", null)
    .where("expires_at", ">", new Date(clock.now()))
    .returningAll()
    .executeTakeFirst();
  if (!row || !(await verifyPassword(code, row.code_hash))) return false;
  const used = await db
    .updateTable("mailed_codes")
    .set({ used_at: new Date(clock.now()) })
    .where("id", "=", row.id)
    .where("used_at", "is", null)
    .executeTakeFirst();
  return used.numUpdatedRows > 0n;
}
