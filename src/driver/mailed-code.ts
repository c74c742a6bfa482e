import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ImapFlow } from "imapflow";
import PostalMime, { type Address, type Email } from "postal-mime";
import { Failure } from "../contract/failures.ts";
import type { Credentials } from "../contract/task.ts";
import type { MailedCodeQuery } from "./contract.ts";

/** Mails come within seconds or not at all; past this the code has mostly expired too. */
const DEADLINE_MS = 120_000;
/** `exists` from the server usually comes first; a search each second covers servers that don't say it. */
const LOOK_EVERY_MS = 1000;
const CONNECT_MS = 15_000;
const SIX_DIGITS = /(?<!\d)(\d{6})(?!\d)/;

/** Mail providers that hand out app passwords. */
const knownServers: Record<string, string> = {
  "gmail.com": "imap.gmail.com",
  "googlemail.com": "imap.gmail.com",
  "yahoo.com": "imap.mail.yahoo.com",
  "icloud.com": "imap.mail.me.com",
  "me.com": "imap.mail.me.com",
  "fastmail.com": "imap.fastmail.com",
  "zoho.com": "imap.zoho.com",
};

export interface ImapServer {
  host: string;
  port: number;
  tls: boolean;
  caFile: string | null;
}

export interface MailboxOptions {
  account: Pick<Credentials, "email" | "appPassword" | "passMail">;
  /** null: guessed from the address. */
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
 * Opens the account's inbox and notes where it ends. Call it before the site is asked for a code.
 * @throws Failure account.incomplete | mailbox.refused | mailbox.unreachable
 */
export async function openMailbox(options: MailboxOptions): Promise<Mailbox> {
  const client = await connect(options);
  try {
    const box = await client.mailboxOpen("INBOX", { readOnly: true });
    const noted = { uidValidity: box.uidValidity, uidNext: box.uidNext };
    return { code: async (query) => waitForCode(client, noted, query, options), close: () => client.close() };
  } catch (error) {
    client.close();
    throw new Failure("mailbox.unreachable", "the inbox can't be opened", { cause: error });
  }
}

async function connect({ account, imap }: MailboxOptions): Promise<ImapFlow> {
  const password = (account.appPassword || account.passMail).replaceAll(" ", "");
  if (!password)
    throw new Failure("account.incomplete", "the site mails a code, and the account has no app_password to read its mailbox with");
  const domain = account.email.slice(account.email.lastIndexOf("@") + 1).toLowerCase();
  const server = imap ?? { host: knownServers[domain] ?? `imap.${domain}`, port: 993, tls: true, caFile: null };
  const ca = server.caFile ? await readFile(server.caFile, "utf8") : null;
  const client = new ImapFlow({
    host: server.host,
    port: server.port,
    secure: server.tls,
    auth: { user: account.email, pass: password },
    logger: false,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    ...(ca && { tls: { ca } }),
  });
  // A connection that drops later shows in the next command; without a listener it would end the thread.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    // After a failed login the socket stays open otherwise.
    client.close();
    const refused = (error as { authenticationFailed?: boolean }).authenticationFailed === true;
    throw new Failure(refused ? "mailbox.refused" : "mailbox.unreachable", `${server.host}:${server.port}`, { cause: error });
  }
}

interface Noted {
  uidValidity: bigint;
  uidNext: number;
}

async function waitForCode(client: ImapFlow, noted: Noted, query: MailedCodeQuery, options: MailboxOptions): Promise<string> {
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const began = performance.now();
  let resend = query.resend;
  while (performance.now() - began < deadlineMs) {
    options.signal?.throwIfAborted();
    const code = await newestCode(client, noted, query, options);
    if (code) return code;
    if (resend && performance.now() - began > deadlineMs / 2) {
      const again = resend;
      resend = undefined;
      await again();
    }
    await untilNewMail(client, options.signal);
  }
  throw new Failure("mailbox.no_code", `nothing from ${[query.from].flat().join(", ")} within ${Math.round(deadlineMs / 1000)} s`);
}

/** Ends at the server's `exists`, after a second, or when the signal fires, whichever is first. */
async function untilNewMail(client: ImapFlow, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  const timer = setTimeout(done, LOOK_EVERY_MS);
  client.once("exists", done);
  signal?.addEventListener("abort", done, { once: true });
  await promise;
  clearTimeout(timer);
  client.off("exists", done);
  signal?.removeEventListener("abort", done);
}

async function newestCode(client: ImapFlow, noted: Noted, query: MailedCodeQuery, options: MailboxOptions): Promise<string | null> {
  try {
    await client.noop();
    if (client.mailbox && client.mailbox.uidValidity !== noted.uidValidity)
      throw new Failure("mailbox.no_code", "the inbox was rebuilt while we waited");
    // "n:*" always includes the last mail, also when it is older than n.
    const mails = (await client.fetchAll(`${noted.uidNext}:*`, { uid: true, source: true }, { uid: true })).filter(
      (mail) => mail.uid >= noted.uidNext && mail.source,
    );
    for (const mail of mails.toSorted((a, b) => b.uid - a.uid)) {
      const email = await PostalMime.parse(mail.source as Buffer);
      const code = readCode(email, query, options.account.email);
      if (code && (await options.takeCode(createHash("sha256").update(`${noted.uidValidity}:${mail.uid}:${code}`).digest("hex"))))
        return code;
    }
    return null;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("mailbox.unreachable", "the connection to the mailbox was lost", { cause: error });
  }
}

/** The code in a mail that was sent by an allowed sender to exactly this mailbox; null when it is another mail. */
export function readCode(email: Email, query: Pick<MailedCodeQuery, "from" | "pattern">, mailbox: string): string | null {
  const sender = addresses([email.from])[0] ?? "";
  const allowed = [query.from].flat().map((from) => from.toLowerCase());
  if (!allowed.some((from) => (from.startsWith("@") ? sender.endsWith(from) : sender === from))) return null;
  const named = [...addresses(email.to), ...addresses(email.cc)];
  // Every mail in the box was delivered to it, also one for maya+other@: where it went counts only when it names nobody.
  const recipients = named.length > 0 ? named : [(email.deliveredTo ?? "").toLowerCase()];
  if (!recipients.includes(mailbox.toLowerCase())) return null;
  const pattern = query.pattern ?? SIX_DIGITS;
  for (const text of [email.subject, email.text, stripHtml(email.html ?? "")]) {
    const match = text ? new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, "")).exec(text) : null;
    if (match) return match[1] ?? match[0];
  }
  return null;
}

function addresses(list: readonly (Address | undefined)[] | undefined): string[] {
  return (list ?? [])
    .flatMap((entry) => (entry?.group ? entry.group.map((member) => member.address) : entry?.address ? [entry.address] : []))
    .map((address) => address.toLowerCase());
}

/** Colours such as #123456 in style sheets are no codes. */
function stripHtml(html: string): string {
  return html
    .replace(/<(style|script|head)\b[\s\S]*?<\/\1>/gi, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/&#?\w+;/g, " ");
}
