import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { withManager } from "./support.ts";

withManager("[auth] without a valid key every path, body and id gets the same 401", async ({ call, task, manager }) => {
  const id = await task();
  const revoked = await manager.keys.create({ name: "gone" });
  assert.equal(await manager.keys.revoke(revoked.id), true);
  assert.equal(await manager.keys.revoke(revoked.id), false);
  const calls = [
    { path: "/links?limit=x" },
    { path: `/links/${id}` },
    { path: "/links/no-uuid" },
    { path: "/links/%E0%A4%A" },
    { path: `/links/${"x".repeat(300)}` },
    { path: "/nothing/here" },
    { path: `/links/${id}/complete`, method: "POST", body: "{broken" },
    { path: `/links/${id}/complete`, method: "POST", body: `"${"x".repeat(2 * 1024 * 1024)}"` },
  ];
  for (const { path, ...options } of calls) {
    const none = await call(path, { ...options, key: null });
    assert.deepEqual([none.status, none.body.success, none.body.code], [401, false, "NO_API_KEY"], path);
    assert.equal((await call(path, { ...options, key: "" })).body.code, "NO_API_KEY", path);
    for (const key of ["wrong", revoked.key, `${revoked.prefix}_${"A".repeat(43)}`, "'; drop table api_keys; --"]) {
      const answer = await call(path, { ...options, key });
      assert.deepEqual([answer.status, answer.body.success, answer.body.code], [401, false, "INVALID_API_KEY"], path);
    }
  }
  assert.equal((await manager.task(id))?.status, "queued");
});

withManager("[auth] a key made for something else is refused with 403", async ({ call, manager }) => {
  const { key } = await manager.keys.create({ name: "writer", scopes: ["content:write"] });
  const answer = await call("/links", { key });
  assert.deepEqual([answer.status, answer.body.code], [403, "forbidden"]);
});

withManager(
  "[keys] a key is shown once; the list and the database know its prefix and hash only",
  async ({ manager, store, call, clock }) => {
    const made = await manager.keys.create({ name: "second farm" });
    assert.match(made.key, /^pck_[A-Za-z0-9]{6}_[A-Za-z0-9_-]{43}$/);
    assert.ok(made.key.startsWith(`${made.prefix}_`));
    assert.equal((await call("/links", { key: made.key })).status, 200);
    const row = (await manager.keys.list()).find(({ id }) => id === made.id);
    assert.deepEqual(
      { name: row?.name, prefix: row?.prefix, scopes: row?.scopes, revokedAt: row?.revokedAt, lastUsedAt: row?.lastUsedAt?.getTime() },
      { name: "second farm", prefix: made.prefix, scopes: ["worker"], revokedAt: null, lastUsedAt: clock.now() },
    );
    const { rows } = await store.raw("select * from manager.api_keys");
    assert.equal(JSON.stringify(rows).includes(made.key.slice(11)), false);
  },
);

withManager("[bodies] what can't be read is told apart", async ({ call, task }) => {
  const id = await task();
  const path = `/links/${id}/complete`;
  const refused = async (options: Parameters<typeof call>[1]): Promise<unknown[]> => {
    const { status, body } = await call(path, { method: "POST", ...options });
    assert.equal(body.success, false);
    assert.ok(body.message);
    return [status, body.code];
  };
  assert.deepEqual(await refused({ body: "{broken" }), [400, "malformed_json"]);
  assert.deepEqual(await refused({ body: '{"link_post":"https://a.example/\\u0000"}' }), [400, "nul_character"]);
  assert.deepEqual(await refused({ body: '{"link_post":"https://a.example/\0"}' }), [400, "nul_character"]);
  assert.deepEqual(await refused({ body: `{"note":"${"x".repeat(1024 * 1024)}"}` }), [413, "body_too_large"]);
  assert.deepEqual(await refused({}), [400, "validation"]);
  assert.deepEqual(await refused({ body: "[]" }), [400, "validation"]);
  assert.deepEqual(await refused({ body: '"text"' }), [400, "validation"]);
  assert.deepEqual(await refused({ body: `${"[".repeat(100_000)}${"]".repeat(100_000)}` }), [400, "validation"]);
});

withManager("[bodies] an escaped backslash before u0000 is text, and any content type is read as JSON", async ({ call, farm, task }) => {
  const id = await task();
  await farm("farm-1").start(id);
  const answer = await call(`/links/${id}/fail`, {
    method: "POST",
    body: '{"error_message":"C:\\\\u0000"}',
    contentType: "application/x-www-form-urlencoded",
  });
  assert.equal(answer.status, 200);
});

withManager("[404] unknown paths and ids answer JSON", async ({ call, manager, apiKey }) => {
  for (const path of ["/", "/nothing", "/links/a/b/c", "/links/insert/x", "/links/%E0%A4%A", `/links/${"x".repeat(300)}`]) {
    const answer = await call(path);
    assert.deepEqual([answer.status, answer.body.success, answer.body.code], [404, false, "not_found"], path);
  }
  for (const [path, method] of [
    [`/links/${randomUUID()}`, "GET"],
    ["/links/no-uuid", "GET"],
    ["/links/%00", "GET"],
    [`/links/${randomUUID()}/start`, "POST"],
  ] as const) {
    const answer = await call(path, { method });
    assert.deepEqual([answer.status, answer.body.success, answer.body.message], [404, false, "task not found"], path);
  }
  const outside = await fetch(`${manager.url}/api/v1/unknown`, { headers: { "x-api-key": apiKey } });
  assert.deepEqual([outside.status, ((await outside.json()) as { success: boolean }).success], [404, false]);
});

withManager("[headers] a worker's name that is too long is refused", async ({ call }) => {
  assert.equal((await call("/links", { worker: "x".repeat(101) })).status, 422);
  assert.equal((await call("/links", { worker: "x".repeat(100) })).status, 200);
});
