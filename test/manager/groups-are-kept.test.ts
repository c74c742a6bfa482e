import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { groupStatuses, serviceTypes } from "../../src/contract/backlink-api.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

const accounts = (howMany: number, active = true) =>
  Array.from({ length: howMany }, () => ({ website: "studio.example.com", email: `${randomUUID()}@example.com`, active }));

/** Without accounts. */
async function group({ api }: OwnerScene, json: Record<string, unknown> = {}) {
  const answer = await api("POST", "/groups", { json: { name: "My group", service_type: "podcast", ...json } });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}

withOwner("[B2] a group is made, bare, and belongs to its owner", async (scene) => {
  const { owner, clock } = scene;
  const made = await group(scene, { name: "  My group ", service_type: "entity" });
  const at = new Date(clock.now()).toISOString();
  assert.deepEqual(made, {
    id: made.id,
    user_id: owner.id,
    name: "My group",
    service_type: "entity",
    status: "active",
    account_count: 0,
    account_active: 0,
    result: "0 / 0",
    created_at: at,
    updated_at: at,
  });
  assert.equal((await group(scene, { accounts: [] })).account_count, 0);
});

withOwner("[B2] a group with accounts says what became of them", async (scene) => {
  const [one, two] = accounts(2);
  const made = await group(scene, { accounts: [one, two, one, { website: "studio.example.com" }, ...accounts(1, false)] });
  assert.deepEqual({ ...made, group: null }, { group: null, imported: 3, skipped: 1, failed: 1 });
  assert.equal(made.group.result, "2 / 3");
  assert.deepEqual(await scene.ask("readGroup", { params: { id: made.group.id } }), made.group);
});

withOwner("[B2] what is no group is refused", async ({ api }) => {
  const status = async (json: unknown): Promise<number> => (await api("POST", "/groups", { json })).status;
  assert.equal(await status({ service_type: "podcast" }), 400);
  assert.equal(await status({ name: 5, service_type: "podcast" }), 400);
  assert.equal(await status({ name: "  ", service_type: "podcast" }), 422);
  assert.equal(await status({ name: "x".repeat(201), service_type: "podcast" }), 422);
  assert.equal(await status({ name: "A", service_type: "poetry" }), 422);
  assert.equal(await status({ name: "A", service_type: "podcast", accounts: "none" }), 400);
  assert.equal(await status([]), 400);
});

const names = ["50% off", "50 of all", "a_b", "A-B", "back\\slash", "Plain"];

withOwner("[B3] whatever is filtered, the pages together are what fits, each once, the newest first", async (scene) => {
  const { ask, clock } = scene;
  const groups: Awaited<ReturnType<typeof group>>[] = [];
  for (const [index, name] of [...names, ...names].entries()) {
    if (index % 3 === 0) clock.forwardMinutes(1);
    const service_type = serviceTypes[index % 2];
    const made = await group(scene, { name, service_type, accounts: [...accounts(index % 4), ...accounts(1, false)] });
    const status = groupStatuses[index % 5 === 0 ? 1 : 0];
    groups.push(await ask("changeGroup", { params: { id: made.group.id }, json: { status } }));
  }
  const newestFirst = groups.toSorted((a, b) => b.created_at.localeCompare(a.created_at) || (a.id < b.id ? -1 : 1));
  const filters = fc.record({
    service_type: fc.constantFrom("", "entity", "social", "podcast"),
    status: fc.constantFrom("", ...groupStatuses),
    search: fc.constantFrom("", "%", "_", "\\", "50", "a", "PLAIN", "a_b", "%%", "nothing"),
    min_active: fc.integer({ min: 0, max: 4 }),
    limit: fc.integer({ min: 1, max: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(filters, async (query) => {
      const fits = newestFirst
        .filter((one) => !query.service_type || one.service_type === query.service_type)
        .filter((one) => !query.status || one.status === query.status)
        .filter((one) => one.name.toLowerCase().includes(query.search.toLowerCase()))
        .filter((one) => one.account_active >= query.min_active);
      const seen: unknown[] = [];
      for (let page = 1; page === 1 || (page - 1) * query.limit < fits.length; page += 1) {
        const answer = await ask("listGroups", { query: { ...query, page } });
        assert.deepEqual([answer.total, answer.page, answer.limit], [fits.length, page, query.limit]);
        seen.push(...answer.data);
      }
      assert.deepEqual(seen, fits);
    }),
    { numRuns: 40 },
  );
});

withOwner("[B3] a page that is none is refused, one out of range is the nearest, one too far is empty", async (scene) => {
  const { ask, api } = scene;
  await group(scene);
  const page = async (query: Record<string, string>) => {
    const { page: shown, limit, data } = await ask("listGroups", { query });
    return [shown, limit, data.length];
  };
  assert.deepEqual(await page({}), [1, 20, 1]);
  assert.deepEqual(await page({ page: "0", limit: "0" }), [1, 1, 1]);
  assert.deepEqual(await page({ page: "-3", limit: "5000" }), [1, 100, 1]);
  assert.deepEqual(await page({ page: "1e300" }), [1_000_000_000, 20, 0]);
  for (const query of [{ page: "x" }, { limit: "many" }, { min_active: "some" }, { service_type: "poetry" }, { status: "odd" }])
    assert.equal((await api("GET", "/groups", { query })).status, 400, JSON.stringify(query));
  const nul = await api("GET", "/groups", { query: { search: "a\0b" } });
  assert.deepEqual([nul.status, nul.body.code], [400, "nul_character"]);
});

withOwner("[B4] a group is read, renamed and switched off", async (scene) => {
  const { ask, clock, api } = scene;
  const made = await group(scene);
  const params = { id: made.id };
  clock.forwardMinutes(1);
  const renamed = await ask("changeGroup", { params, json: { name: "Other" } });
  assert.deepEqual(renamed, { ...made, name: "Other", updated_at: new Date(clock.now()).toISOString() });
  assert.equal((await ask("changeGroup", { params, json: { status: "inactive" } })).status, "inactive");
  clock.forwardMinutes(1);
  assert.deepEqual(await ask("changeGroup", { params, json: {} }), await ask("readGroup", { params }));
  assert.equal((await api("PUT", `/groups/${made.id}`, { json: { status: "odd" } })).status, 422);
  assert.equal((await api("PUT", `/groups/${made.id}`, { json: { name: null } })).status, 400);
});

withOwner("[B4] a group is deleted with its accounts, and the audit log says who did it", async (scene) => {
  const { ask, api, store, owner } = scene;
  const { group: made } = await group(scene, { accounts: accounts(2) });
  assert.deepEqual(await ask("deleteGroup", { params: { id: made.id } }), { success: true });
  for (const method of ["GET", "PUT", "DELETE"]) {
    const gone = await api(method, `/groups/${made.id}`, { json: method === "PUT" ? { name: "A" } : undefined });
    assert.deepEqual([gone.status, gone.body.code], [404, "not_found"]);
  }
  assert.deepEqual((await store.raw("select id from manager.accounts")).rows, []);
  const { rows } = await store.raw("select action, what, email, user_id from manager.audit where action = 'delete'");
  assert.deepEqual(rows, [{ action: "delete", what: `group ${made.id} (My group)`, email: owner.email, user_id: owner.id }]);
});

withOwner("[B4] while a request on a group runs, neither it nor the accounts that are posted to can be deleted", async (scene) => {
  const { api, ask, task, store } = scene;
  const { group: made } = await group(scene, { accounts: accounts(1) });
  await task({ groupId: made.id, account: { email: "busy@example.com" }, website: "studio.example.com" });
  const refused = await api("DELETE", `/groups/${made.id}`);
  assert.deepEqual([refused.status, refused.body.code], [409, "conflict"]);
  const { data } = await ask("listAccounts", { params: { id: made.id } });
  const busy = data.find(({ email }) => email === "busy@example.com");
  const free = data.find(({ email }) => email !== "busy@example.com");
  assert.equal((await api("DELETE", `/accounts/${busy?.id}`)).status, 409);
  assert.equal((await api("PUT", `/accounts/${busy?.id}`, { json: { website: "elsewhere.example.com" } })).status, 409);
  assert.equal((await api("DELETE", `/accounts/${free?.id}`)).status, 200);
  await store.raw("update manager.requests set status = 'stopped'");
  assert.equal((await api("DELETE", `/groups/${made.id}`)).status, 200);
});

withOwner("[owned] nobody sees or touches what is another owner's, and roles limit what may be done", async (scene) => {
  const { api, ask, addUser } = scene;
  const [other, operator, viewer] = [await addUser("owner"), await addUser("operator"), await addUser("viewer")];
  const { group: made } = await group(scene, { accounts: accounts(1) });
  const [mine] = (await ask("listAccounts", { params: { id: made.id } })).data;
  const { job_id } = await ask("checkAll", { params: { id: made.id } });
  const json = { name: "A", service_type: "podcast", website: "a.example", email: "a@example.com", accounts: accounts(1) };
  const calls = [
    ["GET", `/groups/${made.id}`, undefined],
    ["GET", `/groups/${made.id}/export`, undefined],
    ["GET", `/groups/${made.id}/accounts`, undefined],
    ["GET", `/accounts/${mine?.id}`, undefined],
    ["GET", `/jobs/${job_id}`, undefined],
    ["PUT", `/groups/${made.id}`, json],
    ["POST", `/groups/${made.id}/accounts`, json],
    ["POST", `/groups/${made.id}/accounts/import`, json],
    ["POST", `/groups/${made.id}/accounts/check-all`, undefined],
    ["PUT", `/accounts/${mine?.id}`, { note: "mine" }],
    ["POST", `/accounts/${mine?.id}/check`, undefined],
    ["DELETE", `/accounts/${mine?.id}`, undefined],
    ["DELETE", `/groups/${made.id}`, undefined],
  ] as const;
  for (const [method, path, body] of calls) {
    const refused = await api(method, path, { json: body, token: other.token });
    assert.deepEqual([refused.status, refused.body.code], [404, "not_found"], `${method} ${path}`);
    assert.equal((await api(method, path, { json: body, token: null })).status, 401, `${method} ${path}`);
    const seen = await api(method, path, { json: body, token: viewer.token });
    assert.equal(seen.status, method === "GET" ? 200 : 403, `${method} ${path}`);
  }
  const ids = [mine?.id ?? ""];
  assert.deepEqual((await ask("exportAccounts", { json: { ids }, token: other.token })) as object, { accounts: [] });
  const [left] = (await ask("deleteAccounts", { json: { ids }, token: other.token })).results;
  assert.equal(left?.ok, false);
  assert.equal((await ask("listGroups", { token: other.token })).total, 0);
  assert.equal((await ask("countSites", { token: other.token })).data.count, 0);

  const byOperator = await ask("changeGroup", { params: { id: made.id }, json: { name: "Ours" }, token: operator.token });
  assert.deepEqual([byOperator.name, byOperator.user_id], ["Ours", scene.owner.id]);
  for (const path of ["/groups/no-uuid", "/accounts/no-uuid", "/jobs/1", "/groups/%00"])
    assert.equal((await api("GET", path)).status, 404, path);
});

withOwner("[B26] sites are counted once, of active accounts, by type", async (scene) => {
  const { ask } = scene;
  const on = (website: string, active = true) => ({ website, email: `${randomUUID()}@example.com`, active });
  await group(scene, { accounts: [on("a.example"), on("https://A.example/login"), on("b.example"), on("c.example", false)] });
  await group(scene, { service_type: "entity", accounts: [on("b.example"), on("d.example:8443")] });
  const count = async (query?: Record<string, string>) => (await ask("countSites", { ...(query && { query }) })).data;
  assert.deepEqual(await count({ type: "podcast" }), { type: "podcast", count: 2 });
  assert.deepEqual(await count({ type: "entity" }), { type: "entity", count: 2 });
  assert.deepEqual(await count({ type: "social" }), { type: "social", count: 0 });
  assert.deepEqual(await count(), { type: "", count: 3 });
});
