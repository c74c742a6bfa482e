import assert from "node:assert/strict";
import { dataOf, link, withManager } from "./support.ts";

const feed = "https://studio.example.com/feeds/show.xml";

withManager("[W8] [W10] after complete the feed and fresh credentials reach the account", async ({ farm, task, manager }) => {
  const id = await task({ account: { email: "old@example.com", username: "show", password: "old-demo" } });
  const one = farm("farm-1");
  await one.start(id);
  await one.complete(id, { link_post: link });
  const answer = await one.account(id, {
    link_rss: feed,
    cookie: "session=fresh; csrf=x",
    email: "new@example.com",
    password: "demo-new",
    pass_mail: "demo mail",
    twofa: "jbsw y3dp",
    app_password: "demo app",
    api_token: "demo-token-1",
  });
  const shown = dataOf(await one.read(id));
  assert.deepEqual([answer.status, answer.body], [200, { success: true, account_id: shown.account_id, updated_fields: 8 }]);
  assert.deepEqual(
    [shown["link_rss"], shown.cookie, shown.email, shown.password, shown.pass_mail, shown.twofa, shown.app_password, shown.api_token],
    [feed, "session=fresh; csrf=x", "new@example.com", "demo-new", "demo mail", "jbsw y3dp", "demo app", "demo-token-1"],
  );
  assert.equal((await manager.task(id))?.account.linkRss, feed);
});

withManager("[updated_fields] counts what changed value, so a repeated report is 0", async ({ farm, task }) => {
  const id = await task({ account: { email: "a@example.com", password: "demo-password" } });
  const one = farm("farm-1");
  assert.equal((await one.account(id, { link_rss: feed, password: "demo-password" })).body.updated_fields, 1);
  assert.equal((await one.account(id, { link_rss: feed, password: "demo-password" })).body.updated_fields, 0);
  assert.equal((await one.account(id, { link_rss: feed, password: "demo-other", cookie: "a=b" })).body.updated_fields, 2);
});

withManager("[username] is never overridden, unknown fields are ignored", async ({ farm, task }) => {
  const id = await task({ account: { email: "a@example.com", username: "show" } });
  const one = farm("farm-1");
  const answer = await one.account(id, { username: "other", link_post: link, extra: { deep: true } });
  assert.deepEqual([answer.status, answer.body.updated_fields], [200, 0]);
  assert.equal(dataOf(await one.read(id)).username, "show");
});

withManager("[masked] null changes nothing, an empty text clears", async ({ farm, task }) => {
  const id = await task({ account: { email: "a@example.com", password: "demo-password", cookie: "a=b" } });
  const one = farm("farm-1");
  assert.deepEqual(
    [(await one.account(id, { password: null, cookie: null })).status, (await one.account(id, { password: null })).body.updated_fields],
    [200, 0],
  );
  assert.equal((await one.account(id, { password: null, cookie: "" })).body.updated_fields, 1);
  const shown = dataOf(await one.read(id));
  assert.deepEqual([shown.password, shown.cookie], ["demo-password", ""]);
});

withManager("[account body] empty is 400, a wrong type 400, a feed that is no address 422", async ({ farm, task, call }) => {
  const id = await task();
  const one = farm("farm-1");
  for (const json of [undefined, {}]) {
    const answer = await one.account(id, json);
    assert.deepEqual([answer.status, answer.body.code], [400, "empty_body"]);
  }
  assert.equal((await call(`/links/${id}/account`, { method: "POST", body: "null" })).status, 400);
  for (const json of [{ cookie: 5 }, { password: ["x"] }, []])
    assert.equal((await one.account(id, json)).status, 400, JSON.stringify(json));
  for (const link_rss of ["feed", "ftp://a.example/rss"]) assert.equal((await one.account(id, { link_rss })).status, 422, link_rss);
});

withManager("[account] needs no lease and no state", async ({ farm, task, manager }) => {
  const [queued, held, canceled, done] = [await task(), await task(), await task(), await task()];
  await farm("farm-2").start(held);
  await manager.cancelTask(canceled);
  await farm("farm-2").start(done);
  await farm("farm-2").complete(done, { link_post: link });
  for (const id of [queued, held, canceled, done])
    assert.equal((await farm("farm-1").account(id, { link_rss: feed })).body.updated_fields, 1);
});

withManager("[account] an e-mail that belongs to a neighbour is 409 and changes nothing", async ({ farm, task, manager }) => {
  const id = await task({ account: { email: "a@example.com", password: "demo-password" } });
  await task({ account: { email: "b@example.com" } });
  const answer = await farm("farm-1").account(id, { email: "B@example.com", password: "demo-other" });
  assert.deepEqual([answer.status, answer.body.code], [409, "account_exists"]);
  const shown = dataOf(await farm("farm-1").read(id));
  assert.deepEqual([shown.email, shown.password], ["a@example.com", "demo-password"]);
  assert.equal((await farm("farm-1").account(id, { email: "c@example.com" })).status, 200);
  await manager.makeTask({
    account: { email: "C@example.com", cookie: "a=b" },
    website: "studio.example.com",
    episodes: [{ title: "One" }],
  });
  assert.equal(dataOf(await farm("farm-1").read(id)).cookie, "a=b", "known under its new e-mail");
});

withManager("[sealed] no secret stands in the database as it is", async ({ farm, task, store }) => {
  const secrets = {
    password: "plain-demo-1",
    pass_mail: "plain-demo-2",
    twofa: "plain-demo-3",
    app_password: "plain-demo-4",
    cookie: "plain-demo-5",
  };
  const id = await task({ account: { email: "a@example.com", ...secrets } });
  const one = farm("farm-1");
  await one.start(id);
  await one.account(id, { password: "plain-demo-6" });
  await one.fail(id, { error_message: "typed plain-demo-6 and plain-demo-3, was refused" });
  for (const table of ["accounts", "links", "requests", "history"]) {
    const { rows } = await store.raw(`select * from manager.${table}`);
    assert.equal(/plain-demo/.test(JSON.stringify(rows)), false, table);
  }
  assert.equal(dataOf(await one.read(id)).password, "plain-demo-6");
});

withManager("[sealed] an account with damaged secrets waits and says why; the others go on", async ({ farm, task, store, manager }) => {
  const [good, bad] = [await task(), await task({ priority: 1 })];
  await store.raw("update manager.accounts set password = (select password from manager.accounts where id <> $1 limit 1) where id = $1", [
    (await manager.task(bad))?.account.id,
  ]);
  assert.deepEqual(
    (await farm("farm-1").pull()).map(({ id }) => id),
    [good],
  );
  assert.deepEqual(
    (await farm("farm-2").pull()).map(({ id }) => id),
    [],
  );
  const view = await manager.task(bad);
  assert.deepEqual([view?.status, view?.retryCount], ["queued", 0]);
  assert.match(view?.waitsFor ?? "", /stored secrets can't be opened/);
});

withManager(
  "[account body] an e-mail longer than there are is 422, and a farm's report is never in its own way",
  async ({ farm, task }) => {
    const id = await task({ account: { email: "a@example.com" } });
    const one = farm("farm-1");
    const answer = await one.account(id, { email: `${"a".repeat(5000)}@example.com` });
    assert.deepEqual([answer.status, answer.body.code], [422, "unprocessable"], answer.text);
    assert.equal((await one.account(id, { email: `${"a".repeat(308)}@example.com` })).status, 200);
  },
);

withManager("[account body] of two reports that make their accounts the same at the same moment, one is 409", async ({ farm, task }) => {
  const ids = [await task({ account: { email: "a@example.com" } }), await task({ account: { email: "b@example.com" } })];
  const answers = await Promise.all(ids.map(async (id) => farm("farm-1").account(id, { email: "same@example.com" })));
  assert.deepEqual(answers.map(({ status, body }) => [status, body.code]).toSorted(), [
    [200, undefined],
    [409, "account_exists"],
  ]);
});
