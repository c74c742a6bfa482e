import { createHash } from "node:crypto";
import { Failure } from "../contract/failures.ts";
import type { Credentials } from "../contract/task.ts";
import { usualServer, withoutTag, type ImapServer } from "../kit/mail-server.ts";
import type { MailedCodeQuery } from "./contract.ts";
import type { Arrival, MailConnection } from "./mail-connection.ts";
import { leaseMailbox } from "./mailboxes.ts";
import { readMail } from "./read-code.ts";

/** Mails come within seconds or not at all; past this the code has mostly expired too. */
const DEADLINE_MS = 120_000;
/** A mail that was on its way for longer was written before the site was asked. */
const MAX_TRAVEL_MS = 5 * 60_000;

export interface MailboxOptions {
  account: Pick<Credentials, "email" | "appPassword" | "passMail">;
  /** null: the usual one of the address' provider. */
  imap: ImapServer | null;
  /** Takes a code (by its hash); false when it was used before. */
  takeCode(codeHash: string): Promise<boolean>;
  signal?: AbortSignal;
  deadlineMs?: number;
}

/** An inbox whose contents up to now have been noted: only mail that comes later can carry the code. */
export interface Mailbox {
  code(query: MailedCodeQuery): Promise<string>;
  close(): void;
}

/**
 * Opens the account's mailbox and notes where it ends. Call it before the site is asked for a code.
 * @throws Failure account.incomplete | mailbox.refused | mailbox.unreachable
 */
export async function openMailbox(options: MailboxOptions): Promise<Mailbox> {
  const { account } = options;
  const password = (account.appPassword || account.passMail).replaceAll(" ", "");
  if (!password)
    throw new Failure("account.incomplete", "the site mails a code, and the account has no app_password to read its mailbox with");
  const server = options.imap ?? usualServer(account.email);
  const { connection, release } = await leaseMailbox({ server, user: server.user ?? withoutTag(account.email), password });
  try {
    const waiting: Waiting = { connection, mark: await connection.mark(), given: new Map(), options };
    return { code: async (query) => waitForCode(waiting, query), close: release };
  } catch (error) {
    release();
    throw error;
  }
}

interface Waiting {
  connection: MailConnection;
  /** Mail before it is older than the ask. */
  mark: number;
  /** By query: the mail of the last code; what is older is no answer to a second ask. */
  given: Map<string, Pick<Arrival, "writtenAt" | "seq">>;
  options: MailboxOptions;
}

async function waitForCode(waiting: Waiting, query: MailedCodeQuery): Promise<string> {
  const { connection, options } = waiting;
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const began = performance.now();
  let resend = query.resend;
  let passedOver = "";
  while (performance.now() - began < deadlineMs) {
    options.signal?.throwIfAborted();
    await connection.look();
    const found = await newestCode(waiting, query);
    if (found.code !== null) return found.code;
    ({ passedOver } = found);
    if (resend && performance.now() - began > deadlineMs / 2) {
      const again = resend;
      resend = undefined;
      await again();
    }
    await unlessAborted(connection.rest(), options.signal);
  }
  throw new Failure(
    "mailbox.no_code",
    `nothing from ${[query.from].flat().join(", ")} to ${options.account.email} within ${Math.round(deadlineMs / 1000)} s${passedOver && `; passed over: ${passedOver}`}`,
  );
}

async function newestCode(
  { connection, mark, given, options }: Waiting,
  query: MailedCodeQuery,
): Promise<{ code: string | null; passedOver: string }> {
  const key = JSON.stringify([query.from, String(query.pattern)]);
  const reasons = new Map<string, number>();
  const passOver = (why: string): void => void reasons.set(why, (reasons.get(why) ?? 0) + 1);
  for (const mail of connection.since(mark).toSorted((a, b) => b.writtenAt - a.writtenAt || b.seq - a.seq)) {
    const reading = readMail(mail.email, query, options.account.email);
    if ("passedOver" in reading) passOver(reading.passedOver);
    else if (mail.arrivedAt - mail.writtenAt > MAX_TRAVEL_MS) passOver("older than the ask");
    else if (isOlder(mail, given.get(key)) || !(await options.takeCode(hashOf(mail, reading.code)))) passOver("used before");
    else {
      given.set(key, mail);
      return { code: reading.code, passedOver: "" };
    }
  }
  return { code: null, passedOver: [...reasons].map(([why, count]) => `${count} ${why}`).join(", ") };
}

function isOlder(mail: Arrival, last: Pick<Arrival, "writtenAt" | "seq"> | undefined): boolean {
  return last !== undefined && (mail.writtenAt < last.writtenAt || (mail.writtenAt === last.writtenAt && mail.seq <= last.seq));
}

function hashOf({ id }: Arrival, code: string): string {
  return createHash("sha256").update(`${id}:${code}`).digest("hex");
}

async function unlessAborted(work: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (!signal) return work;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await Promise.race([work, promise]).finally(() => resolve());
  signal.throwIfAborted();
}
