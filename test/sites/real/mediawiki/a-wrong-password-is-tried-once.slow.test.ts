import assert from "node:assert/strict";
import { test } from "node:test";
import { givenCrew } from "./crew.ts";

test("a wrong password ends as account.refused after one submit, and only another password is tried", async (t) => {
  const { wiki, start, ask, ended } = await givenCrew(t);
  const maya = await wiki.member("Maya");
  const forgetful = { ...maya, password: "demo-password-of-last-year" };
  await start();

  const refused = await ended(await ask(forgetful, "Never out"));
  assert.deepEqual([refused.state, refused.failureCode], ["failed", "account.refused"], refused.errorMessage);
  assert.match(refused.errorMessage, /Incorrect username or password/);
  const sent = async (): Promise<string[]> => (await wiki.submits()).map(({ kind }) => kind);
  assert.deepEqual(await sent(), ["password"]);

  const again = await ended(await ask(forgetful, "Never out either"));
  assert.equal(again.failureCode, "account.refused");
  assert.deepEqual(await sent(), ["password"], "the same credentials are not sent again");

  const posted = await ended(await ask(maya, "Out at last"));
  assert.equal(posted.state, "completed", posted.errorMessage);
  assert.deepEqual(await sent(), ["password", "password", "code"]);
  assert.deepEqual(await wiki.newPages(), [{ title: "Out at last", user: "Maya", revisions: 1 }]);
});
