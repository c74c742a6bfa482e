import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { withOwner, type OwnerScene } from "./backlink-support.ts";
import {
  act,
  balance,
  begin,
  complete,
  episodes,
  failForGood,
  fund,
  groupOn,
  linksOf,
  read,
  running,
  type ShownRequest,
} from "./given-requests.ts";

const sites = ["a.example.com", "b.example.com", "c.example.com"];

/** A request for one link on each of three sites. */
async function onThreeSites(scene: OwnerScene): Promise<ShownRequest> {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, sites, "entity");
  return running(scene, { group_id, target: 3, data: { episodes: episodes(1) } }, "entity");
}

const retry = async (scene: OwnerScene, { id }: ShownRequest, linkId: string) => scene.api("POST", `/entity/${id}/links/${linkId}/retry`);

withOwner("[B20] a link is shown with its 21 fields, and its password only to whom may see it", async (scene) => {
  const made = await onThreeSites(scene);
  const farm = scene.farm("farm-1");
  const [task] = await begin(farm);
  scene.clock.forwardMinutes(1);
  await farm.complete(task?.id ?? "", { link_post: "https://a.example.com/post/1", note: "well" });
  const link = (await linksOf(scene, made)).find(({ id }) => id === task?.id);
  assert.ok(link);
  const { server_id, started_at, completed_at, created_at, ...rest } = link;
  assert.deepEqual(rest, {
    id: task?.id,
    service_type: "entity",
    server_name: "farm-1",
    site_id: "565ef9a1-a550-55d9-91a4-aeeb4555c095",
    account_id: task?.account_id,
    site_name: "a.example.com",
    email: "",
    username: "user-1",
    password: null,
    about: "",
    link_profile: "",
    link_post: "https://a.example.com/post/1",
    status: "completed",
    note: "well",
    error_message: "",
    retry_count: 0,
    max_retries: 3,
    is_indexed: false,
    has_password: true,
    kind: "primary",
    link_rss: "",
  });
  assert.match(server_id ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(started_at, created_at);
  assert.equal(completed_at, new Date(scene.clock.now()).toISOString());

  const token = await scene.login(scene.owner.email, scene.owner.password, "secrets:read");
  const shown = await scene.ask("listLinks", { params: { type: "entity", id: made.id }, token });
  assert.deepEqual([...new Set(shown.data.map(({ password }) => password))], ["demo-password"]);
  const { rows } = await scene.store.raw("select action, what, how_many from manager.audit where action = 'secrets.read' order by id");
  assert.deepEqual(rows, [{ action: "secrets.read", what: `links of request ${made.id}`, how_many: 3 }]);
});

withOwner("[B20] a status follows the farm, and filter, list and counters say the same at any moment", async (scene) => {
  const made = await onThreeSites(scene);
  const farm = scene.farm("farm-1");
  const tell = async (expected: Record<string, number>): Promise<void> => {
    const { data: stats } = await scene.ask("readTypeStats", { params: { type: "entity" } });
    const found = (await linksOf(scene, made)).map(({ status }) => status);
    for (const [status, count] of Object.entries({
      pending: 0,
      queued: 0,
      running: 0,
      completed: 0,
      failed: 0,
      canceled: 0,
      ...expected,
    })) {
      const filtered = await scene.ask("listLinks", { params: { type: "entity", id: made.id }, query: { status } });
      const shown = found.filter((one) => one === status).length;
      assert.deepEqual([status, shown, filtered.total, filtered.data.length], [status, count, count, count]);
      assert.equal(stats.links[status as "pending"], count, `the counter of ${status}`);
    }
  };
  await tell({ queued: 3 });
  const [one, two, three] = await farm.pull();
  await tell({ queued: 3 });
  for (const task of [one, two, three]) await farm.start(task?.id ?? "");
  await tell({ running: 3 });
  await farm.fail(one?.id ?? "");
  await tell({ running: 2, pending: 1 });
  scene.clock.forwardMinutes(1);
  await tell({ running: 2, queued: 1 });
  await complete(farm, two?.id ?? "");
  await tell({ running: 1, queued: 1, completed: 1 });
  scene.clock.forwardMinutes(16);
  await tell({ queued: 2, completed: 1 });
  await failForGood(farm, three?.id ?? "");
  await tell({ queued: 1, completed: 1, failed: 1 });
  await act(scene, made, "stop");
  await tell({ canceled: 1, completed: 1, failed: 1 });
});

withOwner("[B20] links are found by site, login and address, and sorted", async (scene) => {
  const made = await onThreeSites(scene);
  const farm = scene.farm("farm-1");
  const [task] = await begin(farm);
  await farm.complete(task?.id ?? "", { link_post: "https://posted.example.com/100%25" });
  const list = async (query: Record<string, string | number>) =>
    (await scene.ask("listLinks", { params: { type: "entity", id: made.id }, query })).data.map(({ site_name }) => site_name);
  assert.deepEqual(await list({ search: "B.EXAMPLE" }), ["b.example.com"]);
  assert.deepEqual(await list({ search: "user-3" }), ["c.example.com"]);
  assert.deepEqual(await list({ search: "posted.example.com/100%" }), ["a.example.com"]);
  assert.deepEqual(await list({ search: "_" }), []);
  assert.deepEqual(await list({ sort: "site_name", order: "asc" }), sites);
  assert.deepEqual(await list({ sort: "site_name", order: "desc" }), sites.toReversed());
  assert.deepEqual((await list({ sort: "status", order: "asc" }))[0], "a.example.com");
  assert.deepEqual((await list({ sort: "completed_at" }))[0], "a.example.com");
  const pages: string[] = [];
  for (let page = 1; page <= 3; page++) pages.push(...(await list({ limit: 1, page })));
  assert.deepEqual(pages.toSorted(), sites);
  assert.equal((await scene.api("GET", `/entity/${made.id}/links`, { query: { sort: "password" } })).status, 400);
});

withOwner("[B21] all links are exported, as JSON and as CSV", async (scene) => {
  const made = await onThreeSites(scene);
  const { links } = (await scene.ask("exportLinks", { params: { type: "entity", id: made.id } })) as { links: unknown[] };
  const listed = await scene.ask("listLinks", { params: { type: "entity", id: made.id } });
  assert.deepEqual(links, listed.data);
  const csv = await scene.api("GET", `/entity/${made.id}/links/export`, { query: { format: "csv" } });
  const lines = csv.text.trim().split("\r\n");
  assert.equal(lines.length, 4);
  assert.match(lines[0] ?? "", /^id,service_type,server_id,server_name,site_id,site_name,email,username,password,/);
  assert.ok(!csv.text.includes("demo-password"));
  assert.equal((await scene.api("GET", `/entity/${made.id}/links/export`, { query: { format: "xml" } })).status, 400);
});

withOwner("[B22] only what has failed is tried again; it may exceed max_retries, and the request runs and pays again", async (scene) => {
  const made = await onThreeSites(scene);
  const farm = scene.farm("farm-1");
  const [one, two, third] = await begin(farm);
  await failForGood(farm, one?.id ?? "");
  await complete(farm, two?.id ?? "");
  assert.equal((await retry(scene, made, two?.id ?? "")).status, 409);
  assert.equal((await retry(scene, made, third?.id ?? "")).status, 409);
  assert.equal((await retry(scene, made, randomUUID())).status, 404);
  assert.deepEqual((await retry(scene, made, one?.id ?? "")).body.retry_count, 1);
  assert.equal((await retry(scene, made, one?.id ?? "")).status, 409, "it waits by now");
  await failForGood(farm, third?.id ?? "");
  for (let tries = 2; tries <= 5; tries++) {
    await begin(farm);
    await failForGood(farm, one?.id ?? "");
    const ended = await read(scene, made);
    assert.deepEqual([ended.status, ended.result, ended.credits.held], ["completed", "1 / 3", 50]);
    assert.equal(await balance(scene), 950);
    const again = await retry(scene, made, one?.id ?? "");
    assert.deepEqual([again.status, again.body.status, again.body.retry_count], [200, "queued", tries]);
    assert.deepEqual([(await read(scene, made)).status, await balance(scene)], ["running", 850]);
  }
});

withOwner("[B22] a retry that can't be paid, or that would post what is posted, is refused", async (scene) => {
  await fund(scene, 100);
  const group_id = await groupOn(scene, ["a.example.com", "a.example.com"]);
  const made = await running(scene, { group_id });
  const farm = scene.farm("farm-1");
  const again = async (id: string | undefined) => scene.api("POST", `/podcast/${made.id}/links/${id}/retry`);
  const [first] = await begin(farm);
  await failForGood(farm, first?.id ?? "");
  assert.equal((await again(first?.id)).status, 409, "another account is about to post the same");
  const [second] = await begin(farm);
  await failForGood(farm, second?.id ?? "");
  assert.equal((await read(scene, made)).status, "failed");
  await scene.manager.addCredits({ email: scene.owner.email, amount: -1 });
  assert.equal((await again(first?.id)).status, 402);
  assert.equal((await read(scene, made)).status, "failed");
  await fund(scene, 1);
  assert.equal((await again(first?.id)).status, 200);
  assert.equal(await balance(scene), 0);
  assert.equal((await again(second?.id)).status, 409);
});

withOwner("[B23] all that failed is tried again, and nothing else; what was canceled comes back by restart", async (scene) => {
  const made = await onThreeSites(scene);
  const farm = scene.farm("farm-1");
  const again = async () => (await scene.ask("retryLinks", { params: { type: "entity", id: made.id } })).retried;
  assert.equal(await again(), 0);
  const [one, two, third] = await begin(farm);
  for (const task of [one, two]) await failForGood(farm, task?.id ?? "");
  await scene.manager.cancelTask(third?.id ?? "");
  assert.deepEqual([(await read(scene, made)).status, await balance(scene)], ["failed", 1000]);
  assert.equal(await again(), 2);
  assert.deepEqual((await linksOf(scene, made)).map(({ status, retry_count }) => [status, retry_count]).toSorted(), [
    ["canceled", 0],
    ["queued", 1],
    ["queued", 1],
  ]);
  assert.deepEqual([(await read(scene, made)).status, await balance(scene)], ["running", 850]);
  const restarted = await act(scene, made, "restart");
  assert.equal(restarted.status, 200);
  // The farm still has the third, and may not have heard that it was stopped.
  assert.deepEqual((await linksOf(scene, made)).map(({ status }) => status).toSorted(), ["queued", "queued", "running"]);
  assert.equal((await act(scene, made, "restart")).status, 409, "there is nothing to queue again");
});

withOwner("[B23] of accounts that failed at the same work one is tried again", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "a.example.com"]);
  const made = await running(scene, { group_id });
  const farm = scene.farm("farm-1");
  for (let turn = 0; turn < 2; turn++) {
    const [task] = await begin(farm);
    await failForGood(farm, task?.id ?? "");
    scene.clock.forwardMinutes(1);
  }
  assert.equal((await scene.ask("retryLinks", { params: { type: "podcast", id: made.id } })).retried, 1);
  const [task] = await begin(farm);
  assert.equal(task?.username, "user-1");
  await failForGood(farm, task?.id ?? "");
  assert.equal((await read(scene, made)).status, "failed");
  assert.equal((await act(scene, made, "restart")).status, 200);
  assert.equal((await begin(farm))[0]?.username, "user-2", "the one whose last try is the longest ago");
});

withOwner("[B24] a deleted link is gone for its farm; what it posted stays paid, and a request without work ends", async (scene) => {
  const made = await onThreeSites(scene);
  const farm = scene.farm("farm-1");
  const remove = async (id: string | undefined) => (await scene.api("DELETE", `/entity/${made.id}/links/${id}`)).status;
  const [one, two, third] = await begin(farm);
  await complete(farm, one?.id ?? "");
  assert.equal(await remove(one?.id), 200);
  assert.equal(await remove(one?.id), 404);
  assert.deepEqual((await read(scene, made)).result, "1 / 3");
  assert.equal(await remove(two?.id), 200);
  for (const answer of [await farm.read(two?.id ?? ""), await farm.start(two?.id ?? "")]) assert.equal(answer.status, 404);
  assert.equal((await read(scene, made)).status, "running");
  assert.equal(await remove(third?.id), 200);
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result, ended.created_links, ended.credits], ["completed", "1 / 3", 0, { held: 50, spent: 50 }]);
  assert.equal(await balance(scene), 950);
  const { rows } = await scene.store.raw("select what from manager.audit where action = 'delete' order by id");
  assert.deepEqual(
    rows.map((row) => (row as { what: string }).what),
    [one, two, third].map((task) => `link ${task?.id} of request ${made.id}`),
  );
});

withOwner("[B24] what was posted stays counted and paid when the group and its accounts are deleted", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com"]);
  const made = await running(scene, { group_id });
  const farm = scene.farm("farm-1");
  for (const { id } of await begin(farm)) await complete(farm, id);
  await scene.ask("deleteGroup", { params: { id: group_id } });
  const shown = await read(scene, made);
  assert.deepEqual([shown.group_id, shown.created_links, shown.result, shown.credits], [null, 0, "2 / 2", { held: 100, spent: 100 }]);
  assert.equal((await act(scene, made, "restart")).status, 409);
  await scene.ask("deleteRequest", { params: { type: "podcast", id: made.id } });
  assert.equal(await balance(scene), 900);
});
