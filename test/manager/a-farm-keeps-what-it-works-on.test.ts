import assert from "node:assert/strict";
import { withOwner } from "./backlink-support.ts";
import { act, begin, complete, failForGood, fund, groupOn, linksOf, read, running } from "./given-requests.ts";

withOwner("[cancel] [B18] a task that a person canceled stays its farm's until the lease is out, also through a restart", async (scene) => {
  await fund(scene, 1000);
  const made = await running(scene, { group_id: await groupOn(scene, ["a.example.com"]) });
  const [one, two] = [scene.farm("farm-1"), scene.farm("farm-2")];
  const [task] = await begin(one);
  assert.ok(task);
  await scene.manager.cancelTask(task.id);
  assert.deepEqual(await one.pull(), [], "a canceled task is nobody's to pull");
  const answer = await act(scene, made, "restart");
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(await two.pull(), [], "the first may not have heard of the cancel, and be about to post");
  assert.deepEqual(
    (await one.pull()).map(({ id, status }) => [id, status]),
    [[task.id, "running"]],
  );
  scene.clock.forwardMinutes(16);
  assert.equal((await two.pull())[0]?.id, task.id);
});

withOwner("[B18] who takes over has not begun to import, also where the import was tried and waits for its next try", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["b.example.com", "a.example.com", "a.example.com", "a.example.com"]);
  const made = await running(scene, { group_id, target: 4 });
  const farm = scene.farm("farm-1");
  const posters = await begin(farm);
  const [feedOwner, other] = ["b.example.com", "a.example.com"].map((site) => posters.find(({ domain }) => domain === site));
  assert.ok(feedOwner && other);
  await complete(farm, feedOwner.id);
  await farm.account(feedOwner.id, { link_rss: "https://b.example.com/rss" });
  const imports = (await farm.pull("?type=secondary&limit=1")).toSorted((a, b) => a.username.localeCompare(b.username));
  const tried = imports[0];
  assert.ok(tried?.link_id);
  await farm.start(tried.link_id);
  assert.equal((await farm.fail(tried.link_id, { error_message: "the site was slow", retry: true })).status, 200);
  await failForGood(farm, other.id);
  const links = await linksOf(scene, made);
  const posting = links.filter(({ kind, status, site_name }) => kind === "primary" && status === "queued" && site_name === "a.example.com");
  assert.deepEqual([posting.length, posting.some(({ username }) => username === tried.username)], [1, false]);
  assert.ok(links.some(({ id, kind, status }) => id === tried.link_id && kind === "secondary" && status === "pending"));
});

withOwner("[B22] [B23] links of a stopped request are not tried again before it is restarted", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com", "c.example.com", "d.example.com"]);
  const made = await running(scene, { group_id, target: 6 });
  const farm = scene.farm("farm-1");
  const [first, second] = await begin(farm);
  assert.ok(first && second);
  await complete(farm, first.id);
  await farm.account(first.id, { link_rss: "https://a.example.com/rss" });
  const [imported] = await farm.pull("?type=secondary");
  assert.ok(imported?.link_id);
  await farm.start(imported.link_id);
  for (const id of [imported.link_id, second.id]) await failForGood(farm, id);
  assert.equal((await act(scene, made, "stop")).body.status, "stopped");
  const before = await linksOf(scene, made);
  for (const path of [`links/${imported.link_id}/retry`, `links/${second.id}/retry`, "links/retry-all"]) {
    const answer = await scene.api("POST", `/podcast/${made.id}/${path}`);
    assert.deepEqual([answer.status, answer.body.code], [409, "conflict"], path);
    assert.match(answer.body.message, /the request is stopped; restart it first/, path);
  }
  assert.deepEqual(await linksOf(scene, made), before);
  assert.deepEqual(await farm.pull(), []);
  assert.equal((await act(scene, made, "restart")).body.status, "running");
  assert.deepEqual((await linksOf(scene, made)).map(({ status }) => status).toSorted(), ["completed", "queued", "queued", "running"]);
});

withOwner("[B18] a stop of a completed request ends the imports that are still open, and nothing else", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com", "c.example.com"]);
  const made = await running(scene, { group_id });
  const farm = scene.farm("farm-1");
  for (const { id } of await begin(farm)) {
    await complete(farm, id);
    await farm.account(id, { link_rss: "https://a.example.com/rss" });
  }
  const completed = await read(scene, made);
  assert.deepEqual([completed.status, completed.credits], ["completed", { held: 100, spent: 100 }]);
  const [held] = await farm.pull("?type=secondary&limit=1");
  assert.ok(held?.link_id);
  const stopped = await act(scene, made, "stop");
  assert.equal(stopped.status, 200, stopped.text);
  assert.deepEqual([stopped.body.status, stopped.body.credits], ["completed", completed.credits]);
  assert.deepEqual((await linksOf(scene, made)).map(({ kind, status }) => [kind, status]).toSorted(), [
    ["primary", "completed"],
    ["secondary", "canceled"],
    ["secondary", "canceled"],
  ]);
  assert.deepEqual(await scene.farm("farm-2").pull(), []);
  const again = await act(scene, made, "stop");
  assert.deepEqual([again.status, again.body.message], [409, "The present state does not allow this: the request is completed"]);
  assert.equal((await act(scene, made, "restart")).body.status, "completed");
  const others = (await scene.farm("farm-2").pull("?type=secondary")).map(({ link_id }) => link_id);
  assert.deepEqual([others.length, others.includes(held.link_id)], [1, false], "the farm that had one may not have heard of the stop");
});
