import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { test, type TestContext } from "node:test";
import type { Edges } from "../../src/studio/edges.ts";
import { openFaultyProxy } from "../support/faulty-proxy.ts";
import { ownedAccounts } from "../support/owned-accounts.ts";
import { wholePodcrew } from "../support/whole.ts";

/** A door writes down what the studio is asked; together with its history it decides what a check has done there. */
async function given(t: TestContext, edges: Partial<Edges> = {}) {
  const asked: string[] = [];
  const whole = await wholePodcrew(t, {
    edges,
    door: async (studioUrl) =>
      openFaultyProxy(t, studioUrl, (line) => {
        if (line.startsWith("POST ")) asked.push(line.slice("POST ".length));
        return "none";
      }),
  });
  const { studio, manager } = whole;
  return { whole, asked, owned: async (accounts: object[]) => ownedAccounts(manager, studio.url, accounts) };
}

test("a check types each account's password and code once, and tells the manager which of them work", async (t) => {
  const { whole, asked, owned } = await given(t);
  const { studio, farm } = whole;
  const [right, mistyped] = [await whole.account(), await whole.account()];
  const wrong = { ...mistyped, password: "not-the-password" };
  const accounts = await owned([right, wrong]);
  const answers = async (): Promise<(string | undefined)[][]> => {
    const shown = await accounts.shown();
    return [right, wrong].map(({ email }) => [shown[email]?.status, shown[email]?.note]);
  };

  assert.deepEqual(await accounts.check(), { passed: 1, failed: 1 });
  const [works, fails] = await answers();
  assert.deepEqual(works, ["active", ""]);
  assert.equal(fails?.[0], "failed");
  assert.match(fails?.[1] ?? "", /^The sign-in failed: .*The site refused the account's name or password\. Correct them/);
  assert.doesNotMatch(fails?.[1] ?? "", /not-the-password/);
  assert.deepEqual(asked.toSorted(), ["/login", "/login", "/login/code"], "two passwords, one code, and nothing else");

  await t.test("a second check finds the session, and types nothing that was refused", async () => {
    assert.deepEqual(await accounts.check(), { passed: 1, failed: 1 });
    assert.equal(asked.length, 3, asked.join());
    assert.match((await answers())[1]?.[1] ?? "", /refused these credentials before/);
  });

  assert.deepEqual([await studio.history(), await studio.imports()], [[], []]);
  const metrics = await (await fetch(`${farm.url}/metrics`)).text();
  assert.match(metrics, /podcrew_checks_total\{outcome="works"[^}]*\} 2/);
  assert.match(metrics, /podcrew_checks_total\{outcome="fails"[^}]*\} 2/);
});

test("a check and a task of one login sign in one after the other, each with a code of its own", async (t) => {
  const { whole, asked, owned } = await given(t);
  const account = await whole.account();
  const accounts = await owned([account]);
  const posted = whole.post([{ title: "Beside a check" }], account);
  const checked = await accounts.check();
  const task = await posted;
  assert.deepEqual([checked, task.state], [{ passed: 1, failed: 0 }, "completed"]);
  assert.deepEqual(
    asked.filter((path) => path.startsWith("/login")),
    ["/login", "/login/code", "/login", "/login/code"],
  );
  assert.equal((await whole.studio.history()).length, 1);
});

test("a challenge is the answer of the check, with a picture, and a person is asked for as by a task", async (t) => {
  const { whole, owned } = await given(t, { challenge: "sign-in" });
  const account = await whole.account();
  const accounts = await owned([account]);
  assert.deepEqual(await accounts.check(account.email), { passed: 0, failed: 1 });
  const shown = (await accounts.shown())[account.email];
  assert.match(shown?.note ?? "", /proof that a person is there/);
  const answer = await fetch(`${whole.farm.url}/api/v1/farm/status`);
  const { data } = (await answer.json()) as { data: ReturnType<typeof whole.farm.status> };
  const [person, ...others] = data.needsPerson;
  assert.deepEqual([person?.account, person?.handOver, others], [account.email, true, []]);
  assert.ok(person?.evidence.length, "evidence is kept");
  for (const file of person.evidence) await access(file);
});
