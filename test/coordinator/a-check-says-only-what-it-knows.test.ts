import assert from "node:assert/strict";
import { test } from "node:test";
import { failures, type FailureCode } from "../../src/contract/failures.ts";
import { workerTask } from "../../src/contract/worker-api.ts";
import { isAnswer, judgeCheck } from "../../src/coordinator/checks.ts";
import type { Ledger } from "../../src/coordinator/ledger.ts";
import { judgeSignIn } from "../../src/coordinator/sign-in-guard.ts";
import { makeSlots } from "../../src/coordinator/site-slots.ts";
import { aCheck } from "../support/given-checks.ts";
import { givenWorld, type World } from "../support/given-engine.ts";
import { card } from "../support/scripted-worker.ts";
import { eachBackend } from "../support/store.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const now = new Date("2026-11-21T08:00:00Z");
const view = { workerDeaths: 2, tries: 0, changed: false, moved: false, since: now };

test("only what is wrong with the account is told as its failure; all else waits, up to an hour at a time and a day in all", () => {
  const codes = Object.keys(failures) as FailureCode[];
  assert.deepEqual(
    codes.filter((code) => isAnswer(code) && !/^(account|totp)\./.test(code)),
    ["mailbox.refused", "mailbox.no_code", "site.unsupported"],
  );
  for (const code of codes.filter((one) => !isAnswer(one)))
    for (const kind of ["failed", "died"] as const) {
      const end = { kind, failure: { code, detail: "a reason" }, retryAt: null };
      const judged = judgeCheck(view, end, now, () => 0.5);
      assert.deepEqual([judged.state, judged.reports], ["waiting", []], code);
      assert.match(judged.waitsFor, /^a reason\..*Next try at /, code);
    }
  const away = { kind: "failed" as const, failure: { code: "site.changed" as const, detail: "" }, retryAt: null };
  const pauses = [0, 1, 5, 6, 50].map((tries) => (judgeCheck({ ...view, tries }, away, now, () => 0.5).againMs ?? 0) / MINUTE_MS);
  assert.deepEqual(pauses, [1, 2, 32, 60, 60]);
  const since = new Date(now.getTime() - 24 * HOUR_MS);
  const late = judgeCheck({ ...view, tries: 3, since }, away, now, () => 0.5);
  assert.deepEqual([late.state, late.reports, late.againMs, late.failure?.code], ["canceled", [], null, "site.changed"]);
});

test("a check leaves the last try of each budget to posting, and never makes the site pause", () => {
  const at = (minute: number): number => now.getTime() + minute * MINUTE_MS;
  const check = { own: "me", inFlight: [] as { accountKey: string; at: number }[] };
  const one = (verdict: "unclear" | "refused" | null, version = "v1") => [{ at: at(0), version, verdict }];
  for (const [history, waits] of [
    [one("unclear"), true],
    [one("refused", "the old password"), false],
    [one(null), false],
  ] as const) {
    assert.equal(judgeSignIn(history, [], "v1", at(30)).allowed, true, "posting may");
    assert.equal(judgeSignIn(history, [], "v1", at(30), check).allowed, !waits);
  }
  const accepted = [0, 10].map((minute) => ({ at: at(minute), version: "v1", verdict: "accepted" as const }));
  const daily = judgeSignIn(accepted, [], "v1", at(30), check);
  assert.ok(!daily.allowed && daily.until === at(24 * 60));
  assert.equal(judgeSignIn(accepted, [], "v1", at(30)).allowed, true);

  const refusals = [{ accountKey: "a", at: at(0) }];
  assert.equal(judgeSignIn([], refusals, "v1", at(3), check).allowed, true);
  const two = judgeSignIn([], [...refusals, { accountKey: "b", at: at(2) }], "v1", at(3), check);
  assert.ok(!two.allowed && two.until === at(10));
  const inFlight = [{ accountKey: "b", at: at(2) }];
  const soon = judgeSignIn([], refusals, "v1", at(3), { ...check, inFlight });
  assert.ok(!soon.allowed && soon.until === at(4));
  assert.equal(judgeSignIn([], refusals, "v1", at(3), { ...check, inFlight: [{ accountKey: "me", at: at(2) }] }).allowed, true);
});

const site = { card, host: "studio.example.com", origin: "https://studio.example.com" };
const given = (over: object = {}) => workerTask.parse({ ...aCheck("c1"), id: "check:c1", kind: "check", status: "queued", ...over });
async function ledgerOf(world: World): Promise<Ledger> {
  const { ledger } = (await world.farm({ start: false })).engine;
  await makeSlots(ledger.db, card.site, card.concurrency);
  return ledger;
}

eachBackend(
  "a word on the old password that nobody has heard yet is taken back when the account comes with another",
  async (t, { store }) => {
    const world = await givenWorld(t, store);
    const ledger = await ledgerOf(world);
    assert.equal(await ledger.admitCheck(given(), site, "m"), "new");
    const [job] = await world.queue.take(1);
    assert.ok(job && (await ledger.begin("check:c1", 2)).kind === "begun");
    const refused = { kind: "failed" as const, failure: { code: "account.refused" as const, detail: "" }, retryAt: null };
    assert.equal((await ledger.settle("check:c1", job, refused, { fallbackLink: "", rehearsal: false }))?.state, "failed");
    assert.equal(await ledger.admitCheck(given(), site, "m"), "reporting");
    assert.equal(await ledger.admitCheck(given({ password: "another one" }), site, "m"), "again");
    const reports = await ledger.db.selectFrom("outbox").select(["state", "why"]).execute();
    assert.deepEqual(reports, [{ state: "refused", why: "the account was changed" }]);
    const row = await ledger.task("check:c1");
    assert.deepEqual([row?.state, row && ledger.credentials(row).password], ["waiting", "another one"]);
  },
);

eachBackend("what a check finds at the site that its account has left is told to nobody, also when its farm dies", async (t, { store }) => {
  const world = await givenWorld(t, store);
  const ledger = await ledgerOf(world);
  const elsewhere = { ...site, card: { ...card, site: "other" }, host: "other.example.com" };
  for (const end of ["done", "dies"] as const) {
    const id = `check:${end}`;
    const check = given({ id, account_id: end });
    await ledger.admitCheck(check, site, "m");
    const [job] = await world.queue.take(1);
    assert.ok(job && (await ledger.begin(id, 2)).kind === "begun");
    assert.equal(await ledger.admitCheck(check, elsewhere, "m"), "known");
    const how = { fallbackLink: "", rehearsal: false };
    const judged =
      end === "done" ? await ledger.settle(id, job, { kind: "done", failure: null, retryAt: null }, how) : await ledger.adopt(id);
    assert.deepEqual([judged?.state, judged?.reports, (await ledger.task(id))?.state], ["canceled", [], "canceled"]);
  }
  assert.deepEqual(await ledger.countByState(["m"]), {});
});

eachBackend("an account that stands still for another reason holds its check, which goes on with its tasks", async (t, { store }) => {
  const world = await givenWorld(t, store);
  const ledger = await ledgerOf(world);
  await ledger.admitCheck(given(), site, "m");
  const [job] = await world.queue.take(1);
  assert.ok(job && (await ledger.hold("check:c1", job, { code: "farm.invariant", detail: "" })));
  assert.equal(await ledger.admitCheck(given(), site, "m"), "known");
  assert.deepEqual([(await ledger.task("check:c1"))?.state, await ledger.forPersons(["m"])], ["needs_person", []]);
});

test("a code that came late and a mail that was slow are an answer only when they come again", () => {
  for (const code of ["totp.refused", "mailbox.no_code"] as const) {
    const end = { kind: "failed" as const, failure: { code, detail: "a reason" }, retryAt: null };
    const first = judgeCheck(view, end, now, () => 0.5);
    assert.deepEqual([first.state, first.reports, first.failure?.code], ["waiting", [], code]);
    assert.match(first.waitsFor, /Next try at /);
    const away = { kind: "failed" as const, failure: { code: "site.changed" as const, detail: "" }, retryAt: null };
    const between = judgeCheck({ ...view, last: first.failure }, away, now, () => 0.5);
    assert.equal(between.failure?.code, code, "trouble in between does not let it be forgotten");
    const again = judgeCheck({ ...view, last: between.failure }, end, now, () => 0.5);
    assert.deepEqual([again.state, again.reports.length], ["failed", 1]);
    const changed = judgeCheck({ ...view, last: first.failure, changed: true }, end, now, () => 0.5);
    assert.equal(changed.failure, null, "other secrets begin anew");
  }
});
