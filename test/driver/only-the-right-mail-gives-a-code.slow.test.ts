import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createTransport, type SendMailOptions } from "nodemailer";
import { Failure } from "../../src/contract/failures.ts";
import { openMailbox, type MailboxOptions } from "../../src/driver/mailed-code.ts";
import { dovecotMissing, givenDovecot } from "../support/dovecot.ts";

// Loud on purpose: without a mail server nothing here is shown.
const options = { skip: dovecotMissing ?? false };
const me = "maya@example.com";
const from = "no-reply@studio.example.com";

/** A real mail server, a way to send, and mailboxes that share one ledger of used codes. */
async function given(t: TestContext) {
  const dovecot = await givenDovecot(t);
  const lmtp = new URL(dovecot.lmtpUrl);
  const smtp = createTransport({ host: lmtp.hostname, port: Number(lmtp.port), lmtp: true, ignoreTLS: true });
  t.after(() => smtp.close());
  const used = new Set<string>();
  const takeCode = async (codeHash: string): Promise<boolean> => {
    const free = !used.has(codeHash);
    used.add(codeHash);
    return free;
  };
  const { host, port, password, caFile } = dovecot.imap;
  const account = { email: me, appPassword: password, passMail: "" };
  const open = async (change: Partial<MailboxOptions> = {}) => {
    const mailbox = await openMailbox({ account, imap: { host, port, tls: true, caFile }, takeCode, deadlineMs: 15_000, ...change });
    t.after(() => mailbox.close());
    return mailbox;
  };
  const send = async (letter: Pick<SendMailOptions, "subject" | "text" | "html" | "from" | "to" | "date" | "headers">, envelopeTo = me) => {
    // The envelope is always ours: a forwarded or bulk mail lands in the same box with another name on it.
    await smtp.sendMail({ from, to: me, subject: "Your code", ...letter, envelope: { from, to: envelopeTo } });
  };
  const raw = (code: string, more = ""): string =>
    `From: ${from}\nTo: ${me}\nSubject: Your code\nDate: ${new Date().toUTCString()}\nMessage-ID: <${code}@example.com>\n${more}\n${code}\n`;
  return { open, send, account, dovecot, raw };
}

const noCode = (error: unknown): boolean => error instanceof Failure && error.code === "mailbox.no_code";

test("a mail that lay there before does not count, one that comes while we wait does", options, async (t) => {
  const { open, send } = await given(t);
  await send({ text: "111111" });
  const mailbox = await open();
  const asked = mailbox.code({ from });
  await send({ text: "Your code is 222222." });
  assert.equal(await asked, "222222");
});

test("of two new mails the one that was written last wins, whichever came first; each code is given once", options, async (t) => {
  const { open, send } = await given(t);
  const mailbox = await open({ deadlineMs: 1500 });
  const now = Date.now();
  await send({ text: "444444", date: new Date(now) });
  await send({ text: "333333", date: new Date(now - 20_000) });
  assert.equal(await mailbox.code({ from }), "444444");
  await assert.rejects(mailbox.code({ from }), noCode, "the older one is no answer to a second ask");
  await send({ text: "121212", date: new Date(now + 1000) });
  assert.equal(await mailbox.code({ from }), "121212");
  await assert.rejects((await open({ deadlineMs: 500 })).code({ from }), noCode);
});

test("a mail that was on its way for long answers an earlier ask", options, async (t) => {
  const { open, send } = await given(t);
  const mailbox = await open({ deadlineMs: 1500 });
  await send({ text: "454545", date: new Date(Date.now() - 10 * 60_000) });
  await assert.rejects(mailbox.code({ from }), (error) => noCode(error) && /passed over: 1 older than the ask/.test(String(error)));
});

test("spam and all mail are looked at, too; the inbox's copy is the same mail", options, async (t) => {
  const { open, dovecot, raw } = await given(t);
  await dovecot.put(me, "Spam", raw("101010"));
  const mailbox = await open({ deadlineMs: 4000 });
  await dovecot.put(me, "Spam", raw("202020"));
  assert.equal(await mailbox.code({ from }), "202020");
  const other = await open({ deadlineMs: 1500 });
  await dovecot.put(me, "All Mail", raw("303030"));
  assert.equal(await mailbox.code({ from }), "303030");
  await dovecot.put(me, "Spam", raw("303030"));
  await assert.rejects(other.code({ from }), noCode, "the other folder's copy is the same code");
});

test("accounts that differ in their plus-tag share one connection, and each gets its own mail", options, async (t) => {
  const { open, send, account, dovecot } = await given(t);
  const tagged = (tag: string) => ({ ...account, email: `maya+${tag}@example.com` });
  const [one, two] = await Promise.all([open({ account: tagged("one") }), open({ account: tagged("two") })]);
  assert.equal((await dovecot.connections()).length, 1);
  const codes = Promise.all([one.code({ from }), two.code({ from })]);
  await send({ text: "222222", to: "maya+two@example.com" }, "maya+two@example.com");
  await send({ text: "111111", to: "maya+one@example.com" }, "maya+one@example.com");
  assert.deepEqual(await codes, ["111111", "222222"]);
  one.close();
  assert.equal((await dovecot.connections()).length, 1, "the other still waits there");
  two.close();
  await until(async () => (await dovecot.connections()).length === 0);
});

test("a connection that is lost while we wait is made again, and nothing is missed", options, async (t) => {
  const { open, send, dovecot } = await given(t);
  const mailbox = await open();
  const asked = mailbox.code({ from });
  await dovecot.dropConnections();
  await send({ text: "565656" });
  assert.equal(await asked, "565656");
});

test("a sender that the mailbox's own server calls forged is no sender", options, async (t) => {
  const { open, send } = await given(t);
  const mailbox = await open({ deadlineMs: 1500 });
  await send({
    text: "575757",
    headers: { "Authentication-Results": "mx.example.com; dkim=none; dmarc=fail header.from=studio.example.com" },
  });
  await assert.rejects(mailbox.code({ from }), (error) => noCode(error) && /1 with a forged sender/.test(String(error)));
});

test("other senders, other recipients and mails without a code are passed over", options, async (t) => {
  const { open, send } = await given(t);
  const mailbox = await open({ deadlineMs: 2500 });
  await send({ text: "555555", from: "no-reply@studio.example.com.evil.example" });
  await send({ text: "555555", from: `"${from}" <evil@example.net>` });
  await send({ text: "555555", to: "maya+other@example.com" });
  await send({ text: "Order 1234567 and phone 00442071234567" });
  await assert.rejects(mailbox.code({ from }), noCode);
});

test("a mail that names no recipient counts: it was delivered to this box", options, async (t) => {
  const { open, send } = await given(t);
  const mailbox = await open();
  await send({ text: "999999", to: "undisclosed-recipients:;" });
  assert.equal(await mailbox.code({ from }), "999999");
});

test("a whole domain may be allowed; the code may stand in the subject or in HTML alone, in a form of its own", options, async (t) => {
  const { open, send } = await given(t);
  const mailbox = await open();
  await send({ subject: "666666 là mã của bạn", text: "Xin chào" });
  assert.equal(await mailbox.code({ from: ["other@example.com", "@studio.example.com"] }), "666666");
  await send({ subject: "Mã", html: "<style>p { color: #123456 }</style><p>Mã: <b>777777</b></p>" });
  assert.equal(await mailbox.code({ from }), "777777");
  await send({ text: "Enter AB-1234 within ten minutes" });
  assert.equal(await mailbox.code({ from, pattern: /Enter ([A-Z]{2}-\d{4})/g }), "AB-1234");
});

test("half of the time passed without a mail: it is sent again, once", options, async (t) => {
  const { open, send } = await given(t);
  let resent = 0;
  const mailbox = await open({ deadlineMs: 4000 });
  const code = await mailbox.code({
    from,
    async resend() {
      resent += 1;
      await send({ text: "888888" });
    },
  });
  assert.deepEqual([code, resent], ["888888", 1]);
});

test("a mailbox that refuses, is not there, or has no password is told apart", options, async (t) => {
  const { open, account } = await given(t);
  const ends = async (change: Partial<MailboxOptions>, code: string): Promise<void> =>
    assert.rejects(open(change), (error) => error instanceof Failure && error.code === code && !error.message.includes("demo-wrong"));
  await ends({ account: { ...account, appPassword: "demo-wrong" } }, "mailbox.refused");
  await ends({ imap: { host: "127.0.0.1", port: 1, tls: true, caFile: null } }, "mailbox.unreachable");
  await ends({ account: { ...account, appPassword: "" } }, "account.incomplete");
});

/** Polls: the server tells nobody. */
async function until(seen: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await seen())) {
    assert.ok(performance.now() < end, "this did not happen within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("somebody who waits for a mail can be called off", options, async (t) => {
  const { open } = await given(t);
  const stop = new AbortController();
  const mailbox = await open({ signal: stop.signal });
  const asked = mailbox.code({ from });
  stop.abort();
  await assert.rejects(asked, { name: "AbortError" });
});
