import assert from "node:assert/strict";
import { test } from "node:test";
import PostalMime from "postal-mime";
import { dovecotMissing, givenDovecot } from "../support/dovecot.ts";
import { givenPglite } from "../support/store.ts";
import { email, givenStudio, password, until, Visitor } from "./support.ts";

test("a code goes over LMTP into a real mailbox and opens the studio", { skip: dovecotMissing ?? false }, async (t) => {
  const dovecot = await givenDovecot(t);
  const studio = await givenStudio(t, await givenPglite(t), { config: { smtpUrl: dovecot.lmtpUrl } });
  await studio.accounts.create({ email, password, secondFactor: "mail", locale: "vi" });
  const visitor = new Visitor(studio.url);
  assert.equal((await visitor.signIn()).location, "/login/code");
  const [letter] = await until("the mail is in the box", async () => {
    const letters = await dovecot.inbox(email);
    return letters.length > 0 && letters;
  });
  const mail = await PostalMime.parse(letter ?? "");
  const code = /^(\d{6}) là mã Podcrew Studio của bạn$/.exec(mail.subject ?? "")?.[1] ?? "";
  assert.match(mail.text ?? "", new RegExp(`\\n${code}\\n`));
  assert.match(mail.html ?? "", new RegExp(`>${code}<`));
  assert.equal((await visitor.submit("/login/code", { code })).location, "/dashboard");
});
