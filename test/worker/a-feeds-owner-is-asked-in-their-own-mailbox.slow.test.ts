import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransport } from "nodemailer";
import type { Assignment, CoordinatorCalls } from "../../src/contract/task.ts";
import { Failure } from "../../src/contract/failures.ts";
import { redact } from "../../src/kit/redact.ts";
import { withOwnersMailbox } from "../../src/worker/owners-mailbox.ts";
import { dovecotMissing, givenDovecot, type Dovecot } from "../support/dovecot.ts";

const skip = dovecotMissing ?? false;
const from = "studio@podcrew.example";
const none = { email: "", username: "", password: "", passMail: "", twofa: "", appPassword: "", cookie: "" };
const calls = {
  takeMailedCode: async () => true,
  mayOpenMailbox: async () => ({ allowed: true, why: "" }),
} as unknown as CoordinatorCalls;

function assignmentOf(mail: Dovecot, change: Partial<Assignment>): Assignment {
  const { host, port, caFile } = mail.imap;
  const server = { host, port, tls: true, caFile };
  return { credentials: none, feedMailbox: null, feedImap: server, imap: server, ...change } as Assignment;
}

test(
  "the code is read in the mailbox of whoever the feed names: the account's own, or the one that the task brought",
  { skip },
  async (t) => {
    const mail = await givenDovecot(t);
    const lmtp = new URL(mail.lmtpUrl);
    const smtp = createTransport({ host: lmtp.hostname, port: Number(lmtp.port), lmtp: true, ignoreTLS: true });
    t.after(() => smtp.close());
    const { password: appPassword } = mail.imap;
    const account = { ...none, email: "second@example.com", appPassword };
    const owner = { email: "Owner@Example.com", passMail: "", appPassword };
    const assignment = assignmentOf(mail, { credentials: account, feedMailbox: owner });
    const read = async (ownerEmail: string, to: string, code: string): Promise<string> =>
      withOwnersMailbox({ assignment, calls, signal: AbortSignal.timeout(30_000) }, ownerEmail, async (mailbox) => {
        await smtp.sendMail({ from, to, subject: `${code} is your ownership code` });
        return (await mailbox()).code({ from });
      });
    assert.equal(await read("owner@example.com", "owner@example.com", "482913"), "482913");
    assert.equal(await read("SECOND@example.com", "second@example.com", "739201"), "739201");
    assert.equal(redact("typed 482913"), "typed [secret]", "what is recorded meanwhile does not show it");
  },
);

test("a mailbox that nobody gave us matters only when a code is asked for, and is named then", { skip }, async (t) => {
  const assignment = assignmentOf(await givenDovecot(t), { credentials: { ...none, email: "second@example.com", appPassword: "x" } });
  const parts = { assignment, calls, signal: AbortSignal.timeout(30_000) };
  assert.equal(await withOwnersMailbox(parts, "stranger@example.com", async () => "no code was asked for"), "no code was asked for");
  const refused = withOwnersMailbox(parts, "stranger@example.com", async (mailbox) => (await mailbox()).code({ from }));
  await assert.rejects(
    refused,
    (error) => error instanceof Failure && error.code === "account.incomplete" && /stranger@example\.com/.test(error.detail),
  );
});
