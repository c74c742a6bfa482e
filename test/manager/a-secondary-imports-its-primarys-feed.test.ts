import assert from "node:assert/strict";
import { managerMigrations } from "../../src/manager/migrations.ts";
import { eachBareBackend } from "../support/store.ts";
import { dataOf, link, withManager, type Scene, type TestFarm } from "./support.ts";

const feed = "https://anchor.fm/s/1a2b/podcast/rss";
const show = "https://other.example.com/shows/tea";

interface Pair {
  primary: string;
  secondary: string;
  accountId: string;
}

/** A request with a task that posts and one, on another site, that imports what was posted. */
async function pair(scene: Scene): Promise<Pair> {
  const { manager } = scene;
  const made = await manager.makeTask({
    account: { email: "owner@example.com", password: "demo-password", app_password: "demo mail word" },
    website: "https://studio.example.com",
    episodes: [{ title: "Episode 1", about: "<p>One</p>" }],
  });
  const second = await manager.makeImport({
    requestId: made.requestId,
    account: { email: "second@example.com", password: "demo-password" },
    website: "https://other.example.com",
  });
  return { primary: made.taskId, secondary: second.taskId, accountId: second.accountId };
}

async function post(farm: TestFarm, id: string, link_rss = feed): Promise<void> {
  await farm.start(id);
  await farm.complete(id, { link_post: link });
  await farm.account(id, { link_rss });
}

withManager("[W1 type] [secondary] a secondary is held until its primary's feed is there, and handed out then", async (scene) => {
  const { primary, secondary, accountId } = await pair(scene);
  const farm = scene.farm("farm-1");
  assert.deepEqual(await farm.pull("?type=secondary"), []);
  assert.equal((await scene.manager.task(secondary))?.waitsFor, "It waits for the RSS link of the request's first completed primary task.");
  await farm.start(primary);
  await farm.account(primary, { link_rss: feed });
  assert.deepEqual(await farm.pull("?type=secondary"), [], "a feed alone is no completed primary");
  await post(farm, primary);
  const [task, ...others] = await farm.pull("?type=secondary");
  assert.deepEqual(others, []);
  assert.deepEqual((await farm.pull("?type=primary")).length, 0);
  assert.equal(task?.id, accountId);
  assert.equal(task?.account_id, accountId);
  assert.equal(task?.link_id, secondary);
  assert.equal(task?.status, "queued");
  assert.equal(task?.link_rss, feed);
  assert.equal(task?.domain, "other.example.com");
  assert.deepEqual([task?.email, task?.feed_email, task?.feed_app_password], ["second@example.com", "owner@example.com", "demo mail word"]);
  const raw = dataOf(await farm.read(accountId));
  assert.ok(!("data_content" in raw), "it has no data_content");
});

withManager("[W1 type] a blank type hands out both kinds, and a repeat shows both again", async (scene) => {
  const { primary, secondary } = await pair(scene);
  const farm = scene.farm("farm-1");
  await post(farm, primary);
  const another = await scene.task();
  const linkIds = async (query: string) => (await farm.pull(query)).map(({ link_id }) => link_id).toSorted();
  assert.deepEqual(await linkIds("?type="), [secondary, another].toSorted());
  assert.deepEqual(await linkIds(""), [secondary, another].toSorted());
  assert.deepEqual(await linkIds("?type=secondary"), [secondary]);
});

withManager("[secondary] an import that is ordered, or queued again, after the feed is known gets it", async (scene) => {
  const { primary, secondary } = await pair(scene);
  const { manager, clock } = scene;
  const farm = scene.farm("farm-1");
  await manager.cancelTask(secondary);
  await post(farm, primary);
  const { requestId } = (await manager.task(primary)) ?? {};
  const late = await manager.makeImport({
    requestId: requestId ?? "",
    account: { email: "third@example.com" },
    website: "https://third.example.com",
  });
  clock.forwardMinutes(1);
  const [task, ...others] = await farm.pull("?type=secondary");
  assert.deepEqual([task?.link_id, task?.link_rss, others], [late.taskId, feed, []]);
  await scene.store.raw("update manager.links set state = 'waiting' where id = $1", [secondary]);
  assert.deepEqual(
    (await farm.pull("?type=secondary")).map(({ link_rss }) => link_rss),
    [feed, feed],
  );
});

withManager("[secondary] a feed is known to all requests that wait for it, when the account reports it for one", async (scene) => {
  const first = await pair(scene);
  const second = await pair(scene);
  const farm = scene.farm("farm-1");
  for (const { primary } of [first, second]) {
    await farm.start(primary);
    await farm.complete(primary, { link_post: link });
  }
  assert.deepEqual(await farm.pull("?type=secondary"), []);
  await farm.account(second.primary, { link_rss: feed });
  const handed = await farm.pull("?type=secondary");
  assert.deepEqual(handed.map(({ link_id }) => link_id).toSorted(), [first.secondary, second.secondary].toSorted());
  assert.deepEqual(
    handed.map(({ link_rss }) => link_rss),
    [feed, feed],
  );
});

withManager("[secondary] the mailbox is that of the request's own primary, whoever else has reported the same feed", async (scene) => {
  const farm = scene.farm("farm-1");
  const stranger = await scene.task({
    account: { email: "stranger@example.com", app_password: "another's mail word" },
    website: "https://studio.example.com",
  });
  await farm.pull();
  await post(farm, stranger);
  scene.clock.forwardMinutes(1);
  const { primary } = await pair(scene);
  await farm.pull();
  await post(farm, primary);
  const [task] = await farm.pull("?type=secondary");
  assert.deepEqual([task?.link_rss, task?.feed_email, task?.feed_app_password], [feed, "owner@example.com", "demo mail word"]);
  await farm.account(primary, { link_rss: `${feed}?moved` });
  const [again] = await farm.pull("?type=secondary");
  assert.deepEqual([again?.link_rss, again?.feed_email], [feed, "owner@example.com"], "it is the same mailbox when the feed has moved");
});

withManager("[secondary] pulled is claimed for 15 minutes, and stays queued while it is open", async (scene) => {
  const { primary, accountId } = await pair(scene);
  const [farm, other] = [scene.farm("farm-1"), scene.farm("farm-2")];
  await post(farm, primary);
  assert.equal((await farm.pull("?type=secondary")).length, 1);
  assert.equal((await other.pull("?type=secondary")).length, 0);
  assert.equal((await farm.start(accountId)).status, 200);
  assert.equal((await farm.pull("?type=secondary"))[0]?.status, "queued");
  assert.equal((await other.start(accountId)).status, 409);
  scene.clock.forwardMinutes(16);
  assert.equal((await other.pull("?type=secondary"))[0]?.id, accountId);
});

withManager("[secondary] it is one feed once handed out, whatever the accounts report later", async (scene) => {
  const { primary, accountId } = await pair(scene);
  const farm = scene.farm("farm-1");
  await post(farm, primary);
  await farm.pull("?type=secondary");
  await farm.account(primary, { link_rss: "https://anchor.fm/s/other/podcast/rss" });
  scene.clock.forwardMinutes(16);
  assert.equal((await farm.pull("?type=secondary"))[0]?.link_rss, feed);
  assert.equal(dataOf(await farm.read(accountId)).link_rss, feed);
});

withManager(
  "[insert] a secondary ends by complete under its own id, or by insert under its account's, and a repeat harms nothing",
  async (scene) => {
    const { primary, secondary, accountId } = await pair(scene);
    const farm = scene.farm("farm-1");
    await post(farm, primary);
    await farm.pull("?type=secondary");
    const insert = async (json: unknown, worker = "farm-1") => scene.call("/links/insert", { method: "POST", worker, json });
    assert.equal((await insert({ link_post: show })).status, 400, "which task");
    assert.equal((await insert({ account_id: accountId, link_post: "tea" })).status, 422);
    assert.equal((await insert({ account_id: accountId, link_post: show }, "farm-2")).status, 409, "who never had it");
    assert.equal((await insert({ id: primary, link_post: show })).status, 409, "a primary is no import");
    const done = await insert({ account_id: accountId, link_post: show, note: "imported" });
    assert.deepEqual(done.body, { success: true, id: secondary, account_id: accountId });
    assert.equal((await insert({ id: accountId, link_post: show })).status, 200);
    assert.equal((await farm.complete(secondary, { link_post: show })).status, 200, "the same by another name");
    assert.equal((await farm.complete(secondary, { link_post: `${show}-2` })).status, 409);
    const view = await scene.manager.task(secondary);
    assert.deepEqual([view?.kind, view?.state, view?.linkPost, view?.feed, view?.note], ["secondary", "completed", show, feed, "imported"]);
    assert.equal(dataOf(await farm.read(accountId)).status, "completed");
    assert.deepEqual(await farm.pull("?type=secondary"), []);
    assert.ok((await scene.manager.history({ taskId: secondary })).some(({ action, code }) => action === "insert" && code === "ok"));
  },
);

withManager("[secondary] a canceled one is never handed out, and shows as cancel", async (scene) => {
  const { primary, secondary } = await pair(scene);
  const farm = scene.farm("farm-1");
  await post(farm, primary);
  await scene.manager.cancelTask(secondary);
  assert.deepEqual(await farm.pull("?type=secondary"), []);
  assert.equal(dataOf(await farm.read(secondary)).status, "cancel");
});

withManager("[secondary] it fails and comes back like any task", async (scene) => {
  const { primary, secondary, accountId } = await pair(scene);
  const farm = scene.farm("farm-1");
  await post(farm, primary);
  await farm.pull("?type=secondary");
  await farm.start(accountId);
  assert.equal((await farm.fail(accountId, { error_message: "no code arrived" })).status, 200);
  assert.match((await scene.manager.task(secondary))?.waitsFor ?? "", /handed out again/);
  assert.deepEqual(await farm.pull("?type=secondary"), []);
  scene.clock.forwardMinutes(2);
  assert.equal((await farm.pull("?type=secondary")).length, 1);
  assert.equal((await farm.fail(secondary, { error_message: "the feed is locked", code: "content.feed" })).status, 200);
  assert.equal((await scene.manager.task(secondary))?.state, "failed");
});

withManager("[sites] what a farm can import is remembered apart from what it can post to", async (scene) => {
  const { primary, secondary } = await pair(scene);
  const farm = scene.farm("farm-1");
  await farm.pull("?type=primary", { sites: "studio.example.com,other.example.com" });
  await post(farm, primary);
  assert.deepEqual(await farm.pull("?type=secondary", { sites: "third.example.com" }), []);
  assert.equal((await scene.manager.task(secondary))?.waitsFor, "No farm imports feeds on other.example.com. Give its driver importFeed.");
  const another = await scene.task();
  assert.equal((await scene.manager.task(another))?.waitsFor, "No farm has asked for it yet.");
  assert.equal((await farm.pull("?type=secondary", { sites: "other.example.com" })).length, 1);
});

withManager("[accounts_remaining] an account that waits to import is work that is left, until it has imported", async (scene) => {
  const { groupId } = await group(scene);
  const { manager } = scene;
  const made = await manager.makeTask({
    groupId,
    account: { email: "owner@example.com" },
    website: "https://studio.example.com",
    episodes: [{ title: "One" }],
  });
  await manager.makeImport({ requestId: made.requestId, account: { email: "second@example.com" }, website: "https://other.example.com" });
  const farm = scene.farm("farm-1");
  assert.equal((await farm.pull("?type=primary"))[0]?.accounts_remaining, 1);
  await post(farm, made.taskId);
  const [task] = await farm.pull("?type=secondary");
  await farm.start(task?.id ?? "");
  await farm.complete(task?.id ?? "", { link_post: show });
  assert.equal(dataOf(await farm.read(made.taskId)).accounts_remaining, 0);
});

withManager(
  "[make] an import needs its request and another account than the one that posts; the same again is the same task",
  async (scene) => {
    const { manager } = scene;
    const made = await manager.makeTask({
      account: { email: "owner@example.com" },
      website: "https://studio.example.com",
      episodes: [{ title: "One" }],
    });
    const input = { requestId: made.requestId, account: { email: "second@example.com" }, website: "https://other.example.com" };
    const first = await manager.makeImport(input);
    assert.deepEqual(await manager.makeImport(input), { ...first, created: false });
    await assert.rejects(
      manager.makeImport({ ...input, account: { email: "owner@example.com" }, website: "https://studio.example.com" }),
      /the request posts its episodes there/,
    );
    await assert.rejects(manager.makeImport({ ...input, requestId: "00000000-0000-4000-8000-0000000000ff" }), /there is no request/);
    await assert.rejects(manager.makeImport({ ...input, website: "nowhere at all", account: {} }), /website: .*account|account: .*website/);
  },
);

eachBareBackend("[migrations] imports go up over announced sites and down again", async (_t, { store }) => {
  const { "001-worker-api": first } = managerMigrations;
  assert.ok(first);
  // What later ones add stands on what this one takes away.
  const until = Object.entries(managerMigrations).filter(([name]) => name < "003");
  await store.migrate("manager", Object.fromEntries(until));
  const announce = async (kind: string): Promise<void> =>
    void (await store.raw(
      `insert into manager.announced_sites (holder, kind, site, seen_at) values ('k/f', '${kind}', 'a.example.com', now())`,
    ));
  await announce("primary");
  await announce("secondary");
  await managerMigrations["002-imports"]?.down?.(store.part("manager"));
  const { rows } = await store.raw("select holder, site from manager.announced_sites");
  assert.deepEqual(rows, [{ holder: "k/f", site: "a.example.com" }]);
  await managerMigrations["002-imports"]?.up(store.part("manager"));
  await announce("secondary");
});

async function group({ store }: Scene): Promise<{ groupId: string }> {
  const groupId = "10000000-0000-4000-8000-000000000001";
  await store.raw(
    "insert into manager.groups (id, name, service_type, status, created_at, updated_at) values ($1, 'tea', 'podcast', 'active', now(), now())",
    [groupId],
  );
  return { groupId };
}
