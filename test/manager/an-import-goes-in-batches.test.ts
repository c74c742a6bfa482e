import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createTurns } from "../../src/manager/backlink/import-turns.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

const website = "studio.example.com";
const accounts = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, at) => ({ website, username: `u-${at}`, ...more }));

async function newGroup({ ask }: OwnerScene): Promise<string> {
  const made = await ask("createGroup", { json: { name: "G", service_type: "podcast" } });
  return "group" in made ? made.group.id : made.id;
}

withOwner("[B9] others are answered while an import goes on, and see it grow by whole batches", async (scene) => {
  const { ask } = scene;
  const id = await newGroup(scene);
  const importing = { isOver: false };
  const password = "demo-password";
  const json = { accounts: accounts(10_000, { password, twofa: password }) };
  const over = ask("importAccounts", { params: { id }, json }).finally(() => (importing.isOver = true));
  const seen = new Set<number>();
  while (!importing.isOver) {
    const { account_count: count } = await ask("readGroup", { params: { id } });
    if (!importing.isOver) seen.add(count);
  }
  assert.equal((await over).imported, 10_000);
  const between = [...seen].filter((count) => count > 0 && count < 10_000);
  assert.ok(between.length >= 3, `of 20 batches ${between.length} were seen`);
  assert.deepEqual(
    between.filter((count) => count % 500 !== 0),
    [],
  );
});

withOwner("[B9] what is twice in one file is counted, however far apart", async (scene) => {
  const { ask } = scene;
  const rows = [...accounts(600), ...accounts(600, { note: "later" }), ...accounts(1), ...accounts(1)];
  const count = async (overwrite: boolean) => {
    const id = await newGroup(scene);
    const { imported, overwritten, duplicates } = await ask("importAccounts", { params: { id }, json: { accounts: rows, overwrite } });
    return [imported, overwritten, duplicates];
  };
  assert.deepEqual(await count(false), [600, 0, 602]);
  assert.deepEqual(await count(true), [600, 602, 0]);
});

/** Makes the database refuse an account. @returns what makes it take that one again */
async function refusing({ store }: OwnerScene, username: string): Promise<() => Promise<unknown>> {
  await store.raw(`alter table manager.accounts add constraint refused check (username <> '${username}')`);
  return async () => store.raw("alter table manager.accounts drop constraint refused");
}

withOwner("[B9] an import that broke off has left whole batches, and counts right when it is sent again", async (scene) => {
  const { ask, api } = scene;
  const id = await newGroup(scene);
  const json = { accounts: accounts(1700, { password: "first" }) };
  const mend = await refusing(scene, "u-1200");
  assert.equal((await api("POST", `/groups/${id}/accounts/import`, { json })).status, 500);
  assert.equal((await ask("readGroup", { params: { id } })).account_count, 1000);
  await mend();
  const { imported, duplicates } = await ask("importAccounts", { params: { id }, json });
  assert.deepEqual([imported, duplicates], [700, 1000]);

  const again = { accounts: accounts(1800, { password: "second" }), overwrite: true };
  const mendAgain = await refusing(scene, "u-1750");
  assert.equal((await api("POST", `/groups/${id}/accounts/import`, { json: again })).status, 500);
  await mendAgain();
  const sum = await ask("importAccounts", { params: { id }, json: again });
  assert.deepEqual([sum.imported, sum.overwritten], [100, 1700]);
  const token = await scene.login(scene.owner.email, scene.owner.password, "secrets:read");
  const exported = await ask("exportGroup", { params: { id }, token });
  assert.ok(typeof exported !== "string");
  assert.deepEqual(new Set(exported.accounts.map(({ password }) => password)), new Set(["second"]));
});

withOwner("[B2] [B6] a group whose import breaks off is not left behind half filled", async (scene) => {
  const { ask, api } = scene;
  const mend = await refusing(scene, "u-700");
  const json = { name: "G", service_type: "podcast", accounts: accounts(800) };
  for (const path of ["/groups", "/groups/import"]) assert.equal((await api("POST", path, { json })).status, 500);
  assert.equal((await ask("listGroups")).total, 0);
  await mend();
  assert.equal((await ask("importGroup", { json })).imported, 800);
});

withOwner("[B9] all or nothing when unsupported sites are not to be left out, however late they come", async (scene) => {
  const { api, ask, call } = scene;
  await call("/links?type=primary", { sites: website });
  const id = await newGroup(scene);
  const rows = [...accounts(1200), { website: "other.example.com", username: "eve" }];
  const refused = await api("POST", `/groups/${id}/accounts/import`, { json: { accounts: rows, skip_unsupported: false } });
  assert.equal(refused.status, 422);
  assert.match(refused.body.message, /no farm drives other\.example\.com$/);
  assert.equal((await ask("readGroup", { params: { id } })).account_count, 0);
});

withOwner("[B9] [race] an import that overwrites keeps what somebody changes at the same moment", async (scene) => {
  const { ask } = scene;
  const id = await newGroup(scene);
  await ask("importAccounts", { params: { id }, json: { accounts: accounts(40, { password: "old" }) } });
  const { data } = await ask("listAccounts", { params: { id }, query: { limit: 100 } });
  const token = await scene.login(scene.owner.email, scene.owner.password, "secrets:read");
  for (let round = 0; round < 4; round += 1) {
    const [password, note] = [`password-${round}`, `note-${round}`];
    const [sum] = await Promise.all([
      ask("importAccounts", { params: { id }, json: { accounts: accounts(40, { password }), overwrite: true } }),
      ...data.map(async (account) => ask("changeAccount", { params: { id: account.id }, json: { note } })),
    ]);
    assert.equal(sum.overwritten, 40);
    const after = await ask("listAccounts", { params: { id }, query: { limit: 100 }, token });
    assert.deepEqual(new Set(after.data.map((one) => `${one.password} ${one.note}`)), new Set([`${password} ${note}`]));
  }
});

withOwner("[B9] a group that is deleted while accounts come in ends the import", async (scene) => {
  const { api, ask, store } = scene;
  const id = await newGroup(scene);
  const importing = api("POST", `/groups/${id}/accounts/import`, { json: { accounts: accounts(10_000) } });
  // The embedded database answers without a turn of the event loop, in which the import would come in.
  do await setImmediate();
  while ((await store.raw("select id from manager.accounts limit 1")).rows.length === 0);
  assert.equal((await api("DELETE", `/groups/${id}`)).status, 200);
  const { status, body } = await importing;
  assert.deepEqual([status, body.code], [404, "not_found"]);
  assert.equal((await ask("listGroups")).total, 0);
  assert.deepEqual((await store.raw("select id from manager.accounts")).rows, []);
});

/** Work that ends when the test says so. */
function work(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const run = async (): Promise<string> => {
    log.push(`${name} begins`);
    return promise;
  };
  return { run, end: () => resolve(name), fail: () => reject(new Error(name)) };
}

test("an owner's imports go one after another, those of others beside them; one that fails holds up none", async () => {
  const inTurn = createTurns();
  const log: string[] = [];
  const [one, two, three, other] = [work(log, "one"), work(log, "two"), work(log, "three"), work(log, "other")];
  const [first, second, third] = [inTurn("ann", one.run), inTurn("ann", two.run), inTurn("ann", three.run)];
  const beside = inTurn("bob", other.run);
  other.end();
  assert.equal(await beside, "other");
  assert.deepEqual(log, ["one begins", "other begins"]);
  one.fail();
  await assert.rejects(first, /one/);
  two.end();
  assert.equal(await second, "two");
  three.end();
  assert.equal(await third, "three");
  assert.deepEqual(log.slice(2), ["two begins", "three begins"]);
});

test("one import too many is refused with a sentence, and not when the others have ended", async () => {
  const inTurn = createTurns();
  const log: string[] = [];
  const works = Array.from({ length: 6 }, (_, at) => work(log, String(at)));
  const all = works.map(async ({ run }) => inTurn("ann", run));
  const late = work(log, "late");
  await assert.rejects(inTurn("ann", late.run), {
    code: "conflict",
    message: /5 imports wait already; send this one when they have ended/,
  });
  for (const { end } of works) end();
  await Promise.all(all);
  late.end();
  assert.equal(await inTurn("ann", late.run), "late");
});
