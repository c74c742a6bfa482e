import { randomUUID } from "node:crypto";
import { generateSecret } from "otplib";
import { z } from "zod";
import { UsageError } from "../kit/config.ts";
import { addSecret } from "../kit/redact.ts";
import type { StudioContext } from "./context.ts";
import { hashPassword } from "./passwords.ts";
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

export function toAccount(row: AccountsTable): Account {
  return { id: row.id, email: row.email, name: row.name, secondFactor: row.second_factor, locale: row.locale };
}

export function openAccounts(context: StudioContext): Accounts {
  const { db, vault, clock } = context;
  return {
    async create(input) {
      const parsed = newAccount.safeParse(input);
      if (!parsed.success)
        throw new UsageError(
          `The account can't be made: ${parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ")}.`,
        );
      const { email, password, secondFactor, name, locale } = parsed.data;
      if (secondFactor === "mail" && !context.mailer)
        throw new UsageError(
          `The account ${email} can't get its codes by mail: no mail server is configured. Set SMTP_URL, for example SMTP_URL=smtp://mail.example.com:587.`,
        );
      const totpSecret = secondFactor === "totp" ? parseTotpSecret(parsed.data.totpSecret ?? generateSecret()) : "";
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
  };
}
