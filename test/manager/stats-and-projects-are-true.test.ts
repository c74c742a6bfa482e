import assert from "node:assert/strict";
import { withOwner } from "./backlink-support.ts";
import { act, begin, complete, episodes, failForGood, fund, groupOn, order, running } from "./given-requests.ts";

withOwner("[B25] stats count what the lists show, of all types and of one, and only the owner's", async (scene) => {
  const nothing = { pending: 0, running: 0, completed: 0, stopped: 0, failed: 0 };
  const noLinks = { pending: 0, queued: 0, running: 0, completed: 0, failed: 0, canceled: 0 };
  assert.deepEqual((await scene.ask("readStats")).data, { requests: nothing, links: noLinks });
  await fund(scene, 100_000);
  const [podcasts, entities] = [
    await groupOn(scene, ["a.example.com", "b.example.com"]),
    await groupOn(scene, ["a.example.com"], "entity"),
  ];
  const farm = scene.farm("farm-1");
  await running(scene, { group_id: podcasts });
  for (const { id } of await begin(farm)) await complete(farm, id);
  await running(scene, { group_id: entities, data: { episodes: episodes(1) } }, "entity");
  for (const { id } of await begin(farm)) await failForGood(farm, id);
  await act(scene, await running(scene, { group_id: entities }, "entity"), "stop");
  await running(scene, { group_id: podcasts, target: 4 });
  await order(scene);
  assert.deepEqual((await scene.ask("readStats")).data, {
    requests: { pending: 1, running: 1, completed: 1, stopped: 1, failed: 1 },
    links: { pending: 1, queued: 2, running: 0, completed: 1, failed: 1, canceled: 1 },
  });
  assert.deepEqual((await scene.ask("readTypeStats", { params: { type: "entity" } })).data, {
    requests: { ...nothing, stopped: 1, failed: 1 },
    links: { ...noLinks, failed: 1, canceled: 1 },
  });
  assert.deepEqual((await scene.ask("readTypeStats", { params: { type: "stacking" } })).data, { requests: nothing, links: noLinks });
  const stranger = await scene.addUser("owner");
  assert.deepEqual((await scene.ask("readStats", { token: stranger.token })).data, { requests: nothing, links: noLinks });
});

withOwner("[B1] projects are the requests of all types, the newest first, with what came of them", async (scene) => {
  await fund(scene, 100_000);
  const group_id = await groupOn(scene, ["a.example.com"]);
  const made = await running(scene, { group_id, name: "Tea", website: "https://tea.example.com", target: 10 });
  const farm = scene.farm("farm-1");
  const project = {
    id: made.id,
    name: "Tea",
    type: "podcast",
    type_request: "podcast",
    website: "https://tea.example.com",
    auction_price: 50,
    target: 10,
    created_links: 1,
    status: "running",
    result: "0 / 10",
    started_at: made.started_at,
    created_at: made.created_at,
  };
  const list = async (query: Record<string, string | number> = {}) => scene.ask("listProjects", { query });
  assert.deepEqual(await list(), { success: true, data: [project], total: 1, page: 1, limit: 20 });
  for (const { id } of await begin(farm)) await complete(farm, id);
  scene.clock.forwardMinutes(1);
  await order(scene, { name: "Coffee", type_request: "normal" }, "entity");
  scene.clock.forwardMinutes(1);
  await order(scene, { name: "Coffee_2" }, "social");
  const names = async (query: Record<string, string | number>) => (await list(query)).data.map(({ name }) => name);
  assert.deepEqual(await names({}), ["Coffee_2", "Coffee", "Tea"]);
  assert.deepEqual((await list({ type: "podcast" })).data, [{ ...project, status: "completed", result: "2 / 10" }]);
  assert.deepEqual(await names({ type_request: "normal" }), ["Coffee"]);
  assert.deepEqual(await names({ status: "completed" }), ["Tea"]);
  assert.deepEqual(await names({ search: "TEA." }), ["Tea"]);
  assert.deepEqual(await names({ search: "coffee_" }), ["Coffee_2"]);
  assert.deepEqual(await names({ limit: 2, page: 2 }), ["Tea"]);
  assert.equal((await list({ type: "social", search: "tea" })).total, 0);
  const wrong: Record<string, string>[] = [{ type: "video" }, { status: "done" }, { limit: "ten" }, { type_request: "\0" }];
  for (const query of wrong) assert.equal((await scene.api("GET", "/projects", { query })).status, 400, JSON.stringify(query));
});
