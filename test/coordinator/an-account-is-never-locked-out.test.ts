import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { migrations } from "../../src/coordinator/migrations.ts";
import { judgeTask } from "../../src/coordinator/decide.ts";
import { judgeSignIn, judgeSubmit, loginKeyOf, takeSubmit, versionOf, type Submit } from "../../src/coordinator/sign-in-guard.ts";
import type { FarmTables } from "../../src/coordinator/tables.ts";
import { eachBackend, givenPglite } from "../support/store.ts";
import { takeMailedCode, takeTotpStep } from "../../src/coordinator/once-only.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const start = Date.parse("2026-11-21T08:00:00Z");
const submit = (minute: number, verdict: Submit["verdict"], version = "v1"): Submit => ({
  at: start + minute * MINUTE_MS,
  verdict,
  version,
});
const at = (minute: number): number => start + minute * MINUTE_MS;

test("one explicit refusal marks that version of the credentials bad; a changed one may be tried", () => {
  const history = [submit(0, "refused")];
  assert.deepEqual(judgeSignIn(history, [], "v1", at(60 * 24 * 30)), {
    allowed: false,
    code: "account.refused",
    why: "the site refused these credentials before; they are not tried again until they change",
    until: null,
  });
  assert.deepEqual(judgeSignIn(history, [], "v2", at(1)), { allowed: true });
});

test("nothing was sent: two more tries, 15 minutes and an hour apart, then none for the rest of the day", () => {
  const one = [submit(0, "unjudged")];
  assert.equal(judgeSignIn(one, [], "v1", at(14)).allowed, false);
  assert.equal(judgeSignIn(one, [], "v1", at(15)).allowed, true);
  const two = [...one, submit(15, "unjudged")];
  assert.equal(judgeSignIn(two, [], "v1", at(74)).allowed, false);
  assert.equal(judgeSignIn(two, [], "v1", at(75)).allowed, true);
  const three = [...two, submit(75, "unjudged")];
  const answer = judgeSignIn(three, [], "v1", at(600));
  assert.ok(!answer.allowed && answer.code === "account.budget" && answer.until === start + DAY_MS);
  assert.equal(judgeSignIn(three, [], "v1", at(24 * 60)).allowed, true);
});

for (const verdict of ["unclear", "refused", null] as const) {
  test(`two tries in a row that may have been wrong (${verdict}): no third within a day, whatever the credentials`, () => {
    const two = [submit(0, verdict), submit(15, verdict)];
    const answer = judgeSignIn(two, [], "v2", at(600));
    assert.ok(!answer.allowed && answer.code === "account.budget" && answer.until === at(25 * 60));
    assert.equal(judgeSignIn(two, [], "v2", at(25 * 60)).allowed, true);
    const between = [submit(0, verdict), submit(22 * 60, "accepted"), submit(23 * 60, verdict)];
    assert.equal(judgeSignIn(between, [], "v2", at(24 * 60 + 1)).allowed, true);
  });
}

test("three accounts of a site refused within ten minutes: the site pauses for an hour, for all", () => {
  const refusals = [0, 4, 9].map((minute) => ({ accountKey: `a${minute}`, at: at(minute) }));
  const answer = judgeSignIn([], refusals, "v1", at(10));
  assert.ok(!answer.allowed && answer.until === at(69));
  assert.equal(judgeSignIn([], refusals, "v1", at(69)).allowed, true);
  const spread = [0, 6, 12].map((minute) => ({ accountKey: `a${minute}`, at: at(minute) }));
  assert.equal(judgeSignIn([], spread, "v1", at(13)).allowed, true);
  const same = [0, 1, 2].map((minute) => ({ accountKey: "a", at: at(minute) }));
  assert.equal(judgeSignIn([], same, "v1", at(3)).allowed, true);
});

eachBackend(
  "whatever goes wrong and whenever the farm dies: at most three submits in any day, and never a second one of refused credentials",
  async (_t, { store }) => {
    await store.migrate("farm", migrations);
    const db = store.part<FarmTables>("farm");
    let account = 0;
    const attempt = fc.record({
      waitMinutes: fc.constantFrom(0, 1, 16, 61, 300, 1440),
      verdict: fc.constantFrom("accepted", "refused", "unclear", "crash"),
      version: fc.constantFrom("v1", "v1", "v2"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { minLength: 3, maxLength: 20 }), async (attempts) => {
        const key = `scripted:${++account}`;
        let now = start;
        const made: { at: number; version: string }[] = [];
        const refused = new Set<string>();
        for (const { waitMinutes, verdict, version } of attempts) {
          now += waitMinutes * MINUTE_MS;
          const answer = await takeSubmit(db, { key, site: `site-${account}`, version }, new Date(now));
          if (!answer.allowed) continue;
          assert.ok(!refused.has(version), "refused credentials are not submitted again");
          made.push({ at: now, version });
          const today = made.filter((one) => one.at > now - DAY_MS);
          assert.ok(today.length <= 3, `${today.length} submits in a day`);
          if (verdict !== "crash") await judgeSubmit(db, answer.id, verdict);
          if (verdict === "refused") refused.add(version);
        }
        const rows = await db.selectFrom("credential_submits").select("id").where("account_key", "=", key).execute();
        assert.equal(rows.length, made.length, "each submit stands on disk");
      }),
      { numRuns: 40 },
    );
  },
);

test("a version names the credentials without giving them away", async () => {
  const credentials = {
    email: "a@example.com",
    username: "",
    password: "demo-password",
    passMail: "",
    twofa: "",
    appPassword: "",
    cookie: "",
  };
  const version = await versionOf("scripted:a", credentials);
  assert.equal(await versionOf("scripted:a", { ...credentials, cookie: "k=v" }), version);
  assert.notEqual(await versionOf("scripted:a", { ...credentials, password: "other" }), version);
  assert.notEqual(await versionOf("scripted:b", credentials), version);
  assert.equal(await versionOf("scripted:a", { ...credentials, apiToken: "" }), version);
  assert.notEqual(await versionOf("scripted:a", { ...credentials, apiToken: "demo-token" }), version);
  assert.ok(!version.includes("demo"));
});

test("a TOTP step and a mailed code are taken once, by whoever comes first", async (t) => {
  const { store } = await givenPglite(t);
  await store.migrate("farm", migrations);
  const db = store.part<FarmTables>("farm");
  const now = new Date(start);
  assert.deepEqual(
    await Promise.all([
      takeTotpStep(db, "seed", 59_000_000, now),
      takeTotpStep(db, "seed", 59_000_000, now),
      takeTotpStep(db, "seed", 59_000_001, now),
      takeTotpStep(db, "other", 59_000_000, now),
    ]),
    [true, false, true, true],
  );
  assert.deepEqual(await Promise.all([takeMailedCode(db, "code", now), takeMailedCode(db, "code", now)]), [true, false]);
});

test("a try that comes another day is told with its day", () => {
  const task = { episodes: [], linkRss: null, cookie: "", fallbackLink: "", workerDeaths: 0, tries: 0 };
  const failure = { code: "account.budget" as const, detail: "" };
  const waitsFor = (retryAt: string): string =>
    judgeTask(task, { kind: "failed", failure, retryAt: new Date(retryAt) }, new Date("2026-03-01T23:50:00Z"), () => 0).waitsFor;
  assert.match(waitsFor("2026-03-01T23:55:30Z"), /Next try at 23:55:30 UTC\.$/);
  assert.match(waitsFor("2026-03-02T00:05:30Z"), /Next try on 2026-03-02 at 00:05:30 UTC\.$/);
});

test("a login has one budget, whichever account, group or driver brings it", async (t) => {
  const { store } = await givenPglite(t);
  await store.migrate("farm", migrations);
  const db = store.part<FarmTables>("farm");
  const login = { email: "Owner@example.com", username: "" };
  const [byEmail, byUsername] = (["email", "username"] as const).map((field) => ({
    hosts: ["studio.example.com", "www.example.com"],
    login: field,
  }));
  const keyOf = (host: string, given: Parameters<typeof loginKeyOf>[2], card = byEmail!): string | null => loginKeyOf(host, card, given);
  const key = keyOf("studio.example.com", login)!;
  assert.equal(keyOf("studio.example.com", { email: "owner@example.com ", username: "" }), key);
  assert.equal(keyOf("www.example.com", login), key, "another name of the same site");
  assert.notEqual(keyOf("other.example.com", login), key);
  assert.equal(keyOf("studio.example.com", { ...login, username: "another-show" }), key, "what else it has is not typed");
  const [one, other] = ["one@example.com", "other@example.com"].map((email) =>
    keyOf("studio.example.com", { email, username: "Maya" }, byUsername),
  );
  assert.equal(one, other);
  const tokens = ["demo-token-1", "demo-token-2"].map((apiToken) => keyOf("studio.example.com", { email: "", username: "", apiToken }));
  assert.equal(new Set([...tokens, null]).size, 3, "accounts by token have budgets of their own");
  assert.ok(!tokens.join().includes("demo"));

  const now = Date.UTC(2026, 10, 21);
  const take = async (former: string, minutes: number) =>
    takeSubmit(
      db,
      { key, site: "studio", version: "v1", former: { key: former, version: `${former} v1` } },
      new Date(now + minutes * 60_000),
    );
  const first = await take("studio:account-1", 0);
  assert.ok(first.allowed);
  await judgeSubmit(db, first.id, "refused");
  await judgeSubmit(db, first.id, "unjudged");
  const second = await take("studio:account-2", 60);
  assert.ok(!second.allowed && second.code === "account.refused", "the first word on a submit stays");

  // As it was written down before it went by login.
  await db
    .insertInto("credential_submits")
    .values({ account_key: "studio:old", site: "studio", version: "studio:old v1", at: new Date(now), verdict: "refused" })
    .execute();
  const old = keyOf("studio.example.com", { email: "old@example.com", username: "" })!;
  const after = await takeSubmit(
    db,
    { key: old, site: "studio", version: "v9", former: { key: "studio:old", version: "studio:old v1" } },
    new Date(now + 24 * 3600_000),
  );
  assert.ok(!after.allowed && after.code === "account.refused");
});

test("accounts with one login sign in one after the other, and what the first learns counts for the second", () => {
  const elsewhere = (minute: number, verdict: Submit["verdict"]): Submit => ({ ...submit(minute, verdict), elsewhere: true });
  const answer = judgeSignIn([elsewhere(0, null)], [], "v1", at(1));
  assert.ok(!answer.allowed && answer.until === at(2), "it waits for its turn, a minute at a time");
  assert.equal(judgeSignIn([elsewhere(0, "accepted")], [], "v1", at(1)).allowed, true);
  assert.equal(judgeSignIn([elsewhere(0, "refused")], [], "v1", at(1)).allowed, false);
  assert.equal(judgeSignIn([elsewhere(0, null)], [], "v1", at(15)).allowed, true, "a farm that died in it holds nobody up for long");
  const shows = [0, 2, 4, 6].map((minute) => elsewhere(minute, "accepted"));
  assert.equal(judgeSignIn(shows, [], "v1", at(8)).allowed, true, "five shows behind one login are let in on one day");
});
