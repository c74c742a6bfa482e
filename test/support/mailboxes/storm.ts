import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { createTransport, type SendMailOptions } from "nodemailer";
import { openMailbox } from "../../../src/driver/mailed-code.ts";
import { givenDovecot, type Dovecot } from "../dovecot.ts";
import { codeFormNames, codeLetter, decoy, pick, sixDigits, type Letter, type Random, type Who } from "./letters.ts";

/**
 * Mailboxes on a real Dovecot, each with a life of its own: what lay there before, what comes after the ask in any order, and
 * one right code among it, in the inbox, in spam or in all mail.
 */
export interface StormResult {
  mailboxes: number;
  letters: number;
  /** From the delivery of the right letter (or the ask, where that came later) to the code, ms, ascending. */
  foundMs: number[];
  wrong: string[];
  lost: string[];
}

const AT_A_TIME = 6;
const sender = "no-reply@studio.example.com";

interface Post {
  deliver(mailbox: string, letter: Letter, place?: "Spam" | "All Mail"): Promise<void>;
  close(): void;
}

export async function storm(t: TestContext, mailboxes: number, seed = 1): Promise<StormResult> {
  const dovecot = await givenDovecot(t);
  const post = givenPost(dovecot);
  const { host, port, password, caFile } = dovecot.imap;
  const result: StormResult = { mailboxes, letters: 0, foundMs: [], wrong: [], lost: [] };
  const used = new Set<string>();
  const takeCode = async (hash: string): Promise<boolean> => !used.has(hash) && Boolean(used.add(hash));

  const live = async (number: number): Promise<void> => {
    const random = dice(seed * 1_000_003 + number);
    const chance = (share: number): boolean => random() < share;
    // Every fourth shares its inbox with neighbours, by tags.
    const mailbox = number % 4 === 0 ? `crew-${Math.floor(number / 16)}@example.com` : `box-${number}@example.com`;
    const who = (): Who => ({ sender, address: number % 4 === 0 ? mailbox.replace("@", `+show-${number}@`) : mailbox, now: Date.now() });
    const deliver: Post["deliver"] = async (...args) => {
      result.letters += 1;
      await post.deliver(...args);
    };
    for (let old = Math.floor(random() * 3); old > 0; old--)
      await deliver(mailbox, codeLetter(who(), pick(random, codeFormNames), sixDigits(random), random));

    const box = await openMailbox({
      account: { email: who().address, appPassword: password, passMail: "" },
      imap: { host, port, tls: true, caFile },
      takeCode,
      deadlineMs: 30_000,
    });
    try {
      const [form, code, earlier] = [pick(random, codeFormNames), sixDigits(random), sixDigits(random)];
      const place = chance(0.12) ? "Spam" : chance(0.1) ? "All Mail" : undefined;
      const asked = async (): Promise<string> =>
        box
          .code({ from: chance(0.5) ? sender : ["help@studio.example.com", "@studio.example.com"] })
          .catch((error: Error) => error.message);
      // The site mailed twice: what was written earlier comes with the right one, or after it.
      const twice = chance(0.15);
      const writtenEarlier = { ...codeLetter(who(), "plain", earlier, random), date: new Date(Date.now() - 30_000) };
      let early = twice ? null : asked();
      for (let more = Math.floor(random() * 6); more > 0; more--) await deliver(mailbox, decoy(who(), random));
      if (twice && chance(0.5)) await deliver(mailbox, writtenEarlier);
      await deliver(mailbox, codeLetter(who(), form, code, random), place);
      const from = performance.now();
      early ??= asked();
      const after = twice || chance(0.3) ? deliver(mailbox, twice ? writtenEarlier : decoy(who(), random)) : null;
      const found = await early;
      result.foundMs.push(performance.now() - from);
      await after;
      if (found !== code)
        (/^\d{6}$/.test(found) ? result.wrong : result.lost).push(
          `mailbox ${number}, ${form} in ${place ?? "INBOX"}: ${found}, not ${code}`,
        );
    } finally {
      box.close();
    }
  };

  try {
    let next = 1;
    const lane = async (): Promise<void> => {
      for (let number = next++; number <= mailboxes; number = next++) await live(number);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  } finally {
    post.close();
  }
  result.foundMs.sort((a, b) => a - b);
  return result;
}

export function assertRightCodes({ mailboxes, letters, foundMs, wrong, lost }: StormResult, t: TestContext, inTimeShare = 1): void {
  const at = (share: number): number => Math.round(foundMs[Math.min(foundMs.length - 1, Math.floor(foundMs.length * share))] ?? 0);
  t.diagnostic(
    `${mailboxes} mailboxes, ${letters} letters: ${wrong.length} wrong codes, ${lost.length} not found; found after ${at(0.5)} ms (median), ${at(0.99)} ms (99 %), ${at(1)} ms (last)`,
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual(lost, []);
  assert.equal(foundMs.length, mailboxes);
  assert.ok(at(inTimeShare) <= 2000, `found ${at(inTimeShare)} ms after its delivery`);
}

function givenPost(dovecot: Dovecot): Post {
  const lmtp = new URL(dovecot.lmtpUrl);
  const wire = createTransport({
    host: lmtp.hostname,
    port: Number(lmtp.port),
    lmtp: true,
    ignoreTLS: true,
    pool: true,
    maxConnections: AT_A_TIME,
  });
  const pen = createTransport({ streamTransport: true, buffer: true });
  return {
    async deliver(mailbox, letter, place) {
      const raw = await write(pen, letter);
      if (place) await dovecot.put(mailbox, place, raw);
      else await wire.sendMail({ raw, envelope: { from: "bounce@example.com", to: mailbox } });
    },
    close: () => wire.close(),
  };
}

async function write(
  pen: { sendMail(mail: SendMailOptions): Promise<{ message: unknown }> },
  { latin1, ...letter }: Letter,
): Promise<Buffer> {
  const { message } = await pen.sendMail({ ...letter, ...(latin1 !== undefined && { text: "@" }) });
  if (!Buffer.isBuffer(message)) throw new Error("no message was written");
  if (latin1 === undefined) return message;
  const [head = ""] = message.toString("latin1").split("\r\n\r\n", 1);
  const headers = head.replace(/charset=[\w-]+/i, "charset=iso-8859-1").replace(/(Content-Transfer-Encoding:) \S+/i, "$1 8bit");
  return Buffer.from(`${headers}\r\n\r\n${latin1.replaceAll("\n", "\r\n")}`, "latin1");
}

/** Small, seeded, and the same on every machine. */
function dice(state: number): Random {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
