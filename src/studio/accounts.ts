import { randomUUID } from "node:crypto";
import { generateSecret } from "otplib";
import { z } from "zod";
import { UsageError } from "../kit/config.ts";
import { addSecret } from "../kit/redact.ts";
import type { StudioContext } from "./context.ts";
import { hashPassword, verifyPassword } from "../kit/passwords.ts";
import { locales, secondFactors, type AccountsTable, type Locale, type SecondFactor } from "./schema.ts";
import { parseTotpSecret, totpAad } from "./second-factor.ts";

export interface NewAccount {
  email: string;
  password: string;
  secondFactor: SecondFactor;
  /** Base32 or an otpauth:// address; absent: one is made. */
  totpSecret?: string | undefined;
  name?: string | undefined;
  locale?: Locale | undefined;
}

export interface Account {
  id: string;
  email: string;
  name: string;
  secondFactor: SecondFactor;
  locale: Locale;
}

export interface Accounts {
  /** @returns `totpSecret`: Base32, "" unless the second factor is totp. @throws UsageError for bad input, a taken e-mail, or mailed codes without a mail server */
  create(account: NewAccount): Promise<{ id: string; totpSecret: string }>;
  find(email: string): Promise<Account | null>;
  /**
   * Gives it this password and this authenticator secret, ends all its sign-ins and forgets wrong tries; where it has both already,
   * nothing happens.
   * @throws UsageError for bad input @returns false when there is no such account
   */
  setSignIn(account: { email: string; password: string; totpSecret: string }): Promise<boolean>;
}

const newAccount = z.object({
  email: z
    .email("is not an e-mail address")
    .max(200)
    .transform((email) => email.toLowerCase()),
  password: z.string().min(8, "needs at least 8 characters").max(1000),
  secondFactor: z.enum(secondFactors),
  totpSecret: z.string().optional(),
  name: z.string().trim().max(200).optional(),
  locale: z.enum(locales).default("en"),
});

const newSignIn = newAccount.pick({ email: true, password: true }).extend({ totpSecret: z.string() });

/** @throws UsageError that names all that is wrong */
function checked<Schema extends z.ZodType>(schema: Schema, input: unknown, what: string): z.output<Schema> {
  const { data, error } = schema.safeParse(input);
  if (!error) return data;
  throw new UsageError(`${what}: ${error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ")}.`);
}

export function toAccount(row: AccountsTable): Account {
  return { id: row.id, email: row.email, name: row.name, secondFactor: row.second_factor, locale: row.locale };
}

export function openAccounts(context: StudioContext): Accounts {
  const { db, vault, clock } = context;
  return {
    async create(input) {
      const { email, password, secondFactor, name, locale, ...given } = checked(newAccount, input, "The account can't be made");
      if (secondFactor === "mail" && !context.mailer)
        throw new UsageError(
          `The account ${email} can't get its codes by mail: no mail server is configured. Set SMTP_URL, for example SMTP_URL=smtp://mail.example.com:587.`,
        );
      const totpSecret = secondFactor === "totp" ? parseTotpSecret(given.totpSecret ?? generateSecret()) : "";
      addSecret(totpSecret);
      const id = randomUUID();
      const row = {
        id,
        email,
        name: name || (email.split("@")[0] ?? email),
        password_hash: await hashPassword(password),
        second_factor: secondFactor,
        totp_sealed: totpSecret && vault.seal(totpSecret, totpAad(id)),
        locale,
        created_at: new Date(clock.now()),
      };
      const made = await db
        .insertInto("accounts")
        .values(row)
        .onConflict((conflict) => conflict.column("email").doNothing())
        .executeTakeFirst();
      if (!made.numInsertedOrUpdatedRows) throw new UsageError(`The studio has an account ${email} already. Use another e-mail.`);
      return { id, totpSecret };
    },
    async find(email) {
      const row = await db.selectFrom("accounts").selectAll().where("email", "=", email.toLowerCase()).executeTakeFirst();
      return row ? toAccount(row) : null;
    },
    async setSignIn(input) {
      const { email, password, totpSecret: given } = checked(newSignIn, input, "The account can't be changed");
      const totpSecret = parseTotpSecret(given);
      addSecret(totpSecret);
      const row = await db.selectFrom("accounts").selectAll().where("email", "=", email).executeTakeFirst();
      if (!row) return false;
      const isSameSecret =
        row.second_factor === "totp" && row.totp_sealed !== null && vault.open(row.totp_sealed, totpAad(row.id)) === totpSecret;
      if (isSameSecret && (await verifyPassword(password, row.password_hash))) return true;
      const password_hash = await hashPassword(password);
      const totp_sealed = vault.seal(totpSecret, totpAad(row.id));
      await db.transaction().execute(async (trx) => {
        await trx.updateTable("accounts").set({ password_hash, second_factor: "totp", totp_sealed }).where("id", "=", row.id).execute();
        await trx.deleteFrom("sessions").where("account_id", "=", row.id).execute();
        // Codes of another secret say nothing of this one's; a code of the same one stays used.
        if (!isSameSecret) await trx.deleteFrom("totp_used").where("account_id", "=", row.id).execute();
        await trx.deleteFrom("login_attempts").where("email", "=", email).execute();
      });
      return true;
    },
  };
}
