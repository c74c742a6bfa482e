import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { workerCheck } from "../../src/contract/worker-api.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";
import type { CallOptions } from "./support.ts";

const website = "studio.example.com";

async function newGroup({ ask }: OwnerScene, logins: string[], more: object = {}): Promise<string> {
  const accounts = logins.map((username) => ({ website, username, password: `password-of-${username}`, ...more }));
  const made = await ask("createGroup", { json: { name: "G", service_type: "podcast", accounts } });
  assert.ok("group" in made);
  return made.group.id;
}

async function pull({ call }: OwnerScene, worker = "farm-1", options: CallOptions = {}) {
  const { status, body } = await call("/checks?limit=1000", { worker, ...options });
  assert.equal(status, 200, JSON.stringify(body));
  return (body.data as unknown[]).map((check) => workerCheck.parse(check));
}

async function report({ call }: OwnerScene, id: string, json: unknown, worker = "farm-1") {
  const { status, body } = await call(`/checks/${id}`, { method: "POST", worker, json });
  return status === 200 ? "ok" : body.code;
}

const accountsOf = async ({ ask }: OwnerScene, id: string) => (await ask("listAccounts", { params: { id } })).data;
const progress = async ({ ask }: OwnerScene, id: string) => {
  const { kind, status, total, passed, failed } = await ask("readJob", { params: { id } });
  return [kind, status, total, passed, failed];
};

withOwner("[B10] [checks] all accounts of a group are tried by farms, and the job says how far they are", async (scene) => {
  const { ask, clock } = scene;
  const id = await newGroup(scene, ["ann", "bob"]);
  const started = await ask("checkAll", { params: { id } });
  assert.deepEqual(started, { success: true, job_id: started.job_id, total: 2 });
  assert.equal((await ask("readJob", { params: { id: started.job_id } })).created_at, new Date(clock.now()).toISOString());
  assert.deepEqual(await progress(scene, started.job_id), ["check", "running", 2, 0, 0]);
  const [ann, bob] = await pull(scene);
  assert.ok(ann && bob);
  const shown = (await accountsOf(scene, id)).find((account) => account.id === ann.account_id);
  assert.deepEqual(ann, {
    id: ann.id,
    account_id: shown?.id,
    domain: website,
    email: "",
    username: shown?.username,
    password: `password-of-${shown?.username}`,
    pass_mail: "",
    twofa: "",
    app_password: "",
    api_token: "",
    cookie: "",
  });
  assert.equal(await report(scene, ann.id, { ok: true }), "ok");
  assert.deepEqual(await progress(scene, started.job_id), ["check", "running", 2, 1, 0]);
  assert.equal(await report(scene, bob.id, { ok: false, error_message: `wrong password: ${bob.password}` }), "ok");
  assert.deepEqual(await progress(scene, started.job_id), ["check", "completed", 2, 1, 1]);
  const accounts = Object.fromEntries((await accountsOf(scene, id)).map((account) => [account.id, [account.status, account.note]]));
  assert.deepEqual(accounts, {
    [ann.account_id]: ["active", ""],
    [bob.account_id]: ["failed", "The sign-in failed: wrong password: [secret]"],
  });
  assert.deepEqual(await pull(scene), []);
});

withOwner("[B10] [B12] an account has one open check, and every job that wants it waits for that one", async (scene) => {
  const { ask, store } = scene;
  const id = await newGroup(scene, ["ann", "bob"]);
  const [first] = await accountsOf(scene, id);
  const one = await ask("checkAccount", { params: { id: first?.id ?? "" } });
  const all = await ask("checkAll", { params: { id } });
  const again = await ask("checkAll", { params: { id } });
  assert.deepEqual([one.total, all.total, again.total], [1, 2, 2]);
  assert.equal((await store.raw("select id from manager.account_checks")).rows.length, 2);
  const checks = await pull(scene);
  const check = checks.find(({ account_id }) => account_id === first?.id);
  const other = checks.find(({ account_id }) => account_id !== first?.id);
  await report(scene, check?.id ?? "", { ok: true });
  assert.deepEqual(await progress(scene, one.job_id), ["check", "completed", 1, 1, 0]);
  const later = await ask("checkAll", { params: { id } });
  await report(scene, other?.id ?? "", { ok: false });
  for (const { job_id } of [all, again]) assert.deepEqual(await progress(scene, job_id), ["check", "completed", 2, 1, 1]);
  assert.deepEqual(await progress(scene, later.job_id), ["check", "running", 2, 0, 1]);
});

withOwner("[B10] [B12] what no farm drives is left out, and a job of nothing is over at once", async (scene) => {
  const { ask, call } = scene;
  const id = await newGroup(scene, ["ann"]);
  await call("/links?type=primary", { sites: website });
  const lost = await ask("createAccount", { params: { id }, json: { website: "other.example.com", username: "bob" } });
  const early = await ask("checkAll", { params: { id } });
  assert.equal(early.total, 1);
  const none = await ask("checkAccount", { params: { id: lost.id } });
  assert.equal(none.total, 0);
  assert.deepEqual(await progress(scene, none.job_id), ["check", "completed", 0, 0, 0]);
});

withOwner("[checks] a check is claimed for 15 minutes; its holder sees it again, others when the time is out", async (scene) => {
  const { ask, clock } = scene;
  const id = await newGroup(scene, ["ann"]);
  await ask("checkAll", { params: { id } });
  const [check] = await pull(scene);
  assert.deepEqual(await pull(scene, "farm-2"), []);
  assert.deepEqual(await pull(scene), [check]);
  assert.equal(await report(scene, check?.id ?? "", { ok: true }, "farm-2"), "task_claimed");
  clock.forwardMinutes(15);
  assert.equal(await report(scene, check?.id ?? "", { ok: true }, "farm-2"), "bad_transition");
  assert.deepEqual(await pull(scene, "farm-2"), [check]);
  assert.equal(await report(scene, check?.id ?? "", { ok: true }), "task_claimed");
  clock.forwardMinutes(16);
  assert.equal(await report(scene, check?.id ?? "", { ok: true }, "farm-2"), "ok", "late, but nobody else has it");
  assert.equal(await report(scene, check?.id ?? "", { ok: true }, "farm-2"), "ok", "a repeat harms nothing");
  assert.equal(await report(scene, check?.id ?? "", { ok: false }, "farm-2"), "bad_transition");
  assert.equal(await report(scene, check?.id ?? "", { ok: true }), "bad_transition");
});

withOwner("[checks] asking again renews the lease; when nobody does, the check is handed out anew", async (scene) => {
  const { ask, clock } = scene;
  const id = await newGroup(scene, ["ann", "bob"]);
  await ask("checkAll", { params: { id } });
  const held = await pull(scene);
  clock.forwardMinutes(14);
  assert.deepEqual(await pull(scene), held);
  clock.forwardMinutes(14);
  assert.deepEqual(await pull(scene, "farm-2"), [], "it is held since the second pull");
  clock.forwardMinutes(2);
  assert.deepEqual(await pull(scene, "farm-2"), held);
});

withOwner("[checks] a check of an account that was deleted is not found", async (scene) => {
  const { ask } = scene;
  const id = await newGroup(scene, ["ann"]);
  await ask("checkAll", { params: { id } });
  const [check] = await pull(scene);
  await ask("deleteAccount", { params: { id: check?.account_id ?? "" } });
  assert.equal(await report(scene, check?.id ?? "", { ok: true }), "not_found");
  assert.deepEqual(await pull(scene), []);
});

withOwner("[checks] a farm gets checks for what it drives, so many as it wants", async (scene) => {
  const { ask, call } = scene;
  const id = await newGroup(scene, ["a", "b", "c", "d", "e", "f", "g"]);
  await ask("createAccount", { params: { id }, json: { website: "other.example.com", username: "h" } });
  await ask("checkAll", { params: { id } });
  assert.deepEqual(await pull(scene, "farm-1", { sites: "" }), []);
  assert.equal((await pull(scene, "farm-1", { sites: "Other.example.com" })).length, 1);
  const size = async (query: string) => ((await call(`/checks${query}`, { worker: "farm-2" })).body.data as unknown[]).length;
  assert.equal(await size("?limit=2"), 2);
  assert.equal(await size(""), 5);
  assert.equal(await size("?limit=5000"), 7);
  assert.equal((await call("/checks?limit=x")).status, 400);
  assert.equal((await call("/checks", { key: null })).status, 401);
  assert.equal((await call("/checks", { method: "HEAD" })).status, 404);
});

withOwner("[checks] many farms that ask at once get each check once", async (scene) => {
  const { ask, call } = scene;
  const logins = Array.from({ length: 40 }, (_, at) => `u-${at}`);
  await ask("checkAll", { params: { id: await newGroup(scene, logins) } });
  const pulls = await Promise.all(Array.from({ length: 15 }, async (_, at) => call("/checks?limit=4", { worker: `farm-${at}` })));
  const handed = pulls.flatMap(({ body }) => (body.data as { id: string }[]).map(({ id }) => id));
  assert.equal(new Set(handed).size, handed.length);
  const rest = await pull(scene, "the last");
  assert.equal(handed.length + rest.length, logins.length);
});

withOwner("[checks] what can't be read is told apart, and the history keeps it all", async (scene) => {
  const { ask, call, manager } = scene;
  await ask("checkAll", { params: { id: await newGroup(scene, ["ann"]) } });
  const [check] = await pull(scene);
  const id = check?.id ?? "";
  assert.equal(await report(scene, id, {}), "validation");
  assert.equal(await report(scene, id, { ok: "yes" }), "validation");
  assert.equal(await report(scene, "no-uuid", { ok: true }), "not_found");
  assert.equal(await report(scene, randomUUID(), { ok: true }), "not_found");
  assert.equal(await report(scene, id, { ok: false, error_message: null }), "ok");
  assert.equal(await report(scene, id, { ok: false }), "ok");
  await call("/checks?limit=x");
  const entries = await manager.history();
  assert.deepEqual(
    entries.map(({ action, taskId, status, code }) => [action, taskId === id, status, code]),
    [
      ["checks", true, 200, "ok"],
      ["check", true, 400, "validation"],
      ["check", true, 400, "validation"],
      ["check", false, 404, "not_found"],
      ["check", false, 404, "not_found"],
      ["check", true, 200, "ok"],
      ["check", true, 200, "repeated"],
      ["checks", false, 400, "validation"],
    ],
  );
});

withOwner("[checks] a password that changes while a farm tries the old one is tried anew", async (scene) => {
  const { ask } = scene;
  const id = await newGroup(scene, ["ann", "bob"]);
  const { job_id } = await ask("checkAll", { params: { id } });
  const checks = await pull(scene);
  const [ann, bob] = checks;
  await ask("changeAccount", { params: { id: ann?.account_id ?? "" }, json: { password: "new-password" } });
  await ask("importAccounts", {
    params: { id },
    json: { overwrite: true, accounts: [{ website, username: bob?.username, twofa: "JBSWY3DPEHPK3PXP" }] },
  });
  for (const check of checks) assert.equal(await report(scene, check.id, { ok: false, error_message: "wrong password" }), "bad_transition");
  const anew = await pull(scene, "farm-2");
  assert.deepEqual(new Set(anew.map(({ id: one }) => one)), new Set(checks.map(({ id: one }) => one)));
  assert.equal(anew.find((check) => check.id === ann?.id)?.password, "new-password");
  for (const check of anew) assert.equal(await report(scene, check.id, { ok: true }, "farm-2"), "ok");
  assert.deepEqual(await progress(scene, job_id), ["check", "completed", 2, 2, 0]);
});

withOwner("[checks] a check leaves a person's note and switch alone", async (scene) => {
  const { ask } = scene;
  const id = await newGroup(scene, ["ann"], { note: "mine", active: false });
  await ask("checkAll", { params: { id } });
  const [off] = await pull(scene);
  await report(scene, off?.id ?? "", { ok: false, error_message: "wrong password" });
  const [ann] = await accountsOf(scene, id);
  assert.deepEqual([ann?.status, ann?.note], ["inactive", "mine"]);
  await ask("changeAccount", { params: { id: ann?.id ?? "" }, json: { active: true, note: "" } });
  for (const [json, status, note] of [
    [{ ok: false, error_message: "wrong password" }, "failed", "The sign-in failed: wrong password"],
    [{ ok: false }, "failed", "The sign-in failed: no reason was given"],
    [{ ok: true, error_message: "none" }, "active", ""],
  ] as const) {
    await ask("checkAccount", { params: { id: ann?.id ?? "" } });
    const [check] = await pull(scene);
    await report(scene, check?.id ?? "", json);
    const [after] = await accountsOf(scene, id);
    assert.deepEqual([after?.status, after?.note], [status, note]);
  }
});

withOwner("[checks] an account that is deleted, or can't be opened, holds no job up", async (scene) => {
  const { ask, store } = scene;
  const id = await newGroup(scene, ["ann", "bob", "eve"]);
  const { job_id } = await ask("checkAll", { params: { id } });
  const [ann] = await accountsOf(scene, id);
  await ask("deleteAccount", { params: { id: ann?.id ?? "" } });
  await store.raw("update manager.accounts set password = 'v1.00000000.AAAA.AAAA' where username = 'bob'");
  const [eve, ...others] = await pull(scene);
  assert.deepEqual([eve?.username, others], ["eve", []]);
  assert.deepEqual(await progress(scene, job_id), ["check", "running", 3, 0, 1]);
  assert.equal(await report(scene, eve?.id ?? "", { ok: true }), "ok");
  assert.deepEqual(await progress(scene, job_id), ["check", "completed", 3, 1, 1]);
  const bob = (await accountsOf(scene, id)).find(({ username }) => username === "bob");
  assert.equal(bob?.status, "failed");
  assert.match(bob?.note ?? "", /enter the account's secrets again/);
});
