import assert from "node:assert/strict";
import { UsageError } from "../../src/kit/config.ts";
import { eachBackend } from "../support/store.ts";
import { virtualClock } from "../support/virtual-clock.ts";
import { codeAt, email, givenStudio, password, Visitor } from "./support.ts";

const [other, totpSecret] = ["demo-password-2", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"];

eachBackend("another password and authenticator secret open the studio at once, and end what the old ones had opened", async (t, given) => {
  const clock = virtualClock();
  const studio = await givenStudio(t, given, { clock });
  const before = await studio.accounts.create({ email, password, secondFactor: "totp" });
  const signIn = async (word: string, secret: string) => {
    const visitor = new Visitor(studio.url);
    const { status } = await visitor.signIn(word);
    if (status !== 302) return { visitor, status };
    const { location } = await visitor.submit("/login/code", { code: codeAt(secret, clock.now()) });
    return { visitor, status: location === "/dashboard" ? 200 : 401 };
  };
  const { visitor, status } = await signIn(password, before.totpSecret);
  assert.equal(status, 200);

  const same = { email: email.toUpperCase(), password, totpSecret: before.totpSecret };
  assert.equal(await studio.accounts.setSignIn(same), true);
  assert.equal((await visitor.get("/dashboard")).status, 200, "what it has already changes nothing");
  assert.equal((await signIn(password, before.totpSecret)).status, 401, "a code that was used stays used");

  for (let round = 1; round <= 5; round++) await new Visitor(studio.url).signIn("wrong-password");
  assert.equal(await studio.accounts.setSignIn({ email, password: other, totpSecret }), true);
  assert.equal((await visitor.get("/dashboard")).status, 302, "signed out");
  assert.equal((await signIn(other, totpSecret)).status, 200, "not locked any more");
  assert.equal((await signIn(password, before.totpSecret)).status, 401);

  assert.equal(await studio.accounts.setSignIn({ email: "nobody@example.com", password, totpSecret }), false);
  await assert.rejects(studio.accounts.setSignIn({ email, password: "short", totpSecret }), UsageError);
  await assert.rejects(studio.accounts.setSignIn({ email, password, totpSecret: "no secret" }), UsageError);
});
