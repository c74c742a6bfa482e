import assert from "node:assert/strict";
import { serviceTypes } from "../../src/contract/backlink-api.ts";
import { withOwner } from "./backlink-support.ts";
import { act, balance, begin, complete, episodes, failForGood, fund, groupOn, linksOf, order, read } from "./given-requests.ts";

const sites = ["a.example.com", "b.example.com", "c.example.com"];

for (const type of serviceTypes)
  withOwner(`[B15] [B18] ${type}: ordered, handed out, posted, stopped, restarted, completed, deleted`, async (scene) => {
    await fund(scene, 1000);
    const group_id = await groupOn(scene, sites, type);
    const group = await scene.ask("readGroup", { params: { id: group_id } });
    assert.deepEqual([group.service_type, group.result], [type, "3 / 3"]);
    const { data: accounts } = await scene.ask("listAccounts", { params: { id: group_id } });
    assert.deepEqual([...new Set(accounts.map(({ service_type }) => service_type))], [type]);

    const made = await order(scene, { group_id, target: 3, data: { episodes: episodes(1) } }, type);
    assert.deepEqual([made.service_type, made.type_request, await balance(scene)], [type, type, 850]);
    assert.equal((await act(scene, made, "start")).body.created_links, 3);
    const farm = scene.farm("farm-1");
    const tasks = await begin(farm);
    assert.deepEqual(
      tasks.map(({ type_request, domain, data_content, password }) => [type_request, domain, data_content.length, password]),
      sites.map((site) => ["post", site, 1, "demo-password"]),
    );
    const [one, two, three] = tasks.map(({ id }) => id);
    await complete(farm, one ?? "");
    await failForGood(farm, two ?? "");
    await act(scene, made, "stop");
    assert.deepEqual([(await read(scene, made)).result, await balance(scene)], ["1 / 3", 950]);
    assert.equal(((await farm.read(three ?? "")).body.data as { status: string }).status, "cancel");
    await act(scene, made, "restart");
    assert.equal(await balance(scene), 850);
    for (const { id } of await begin(farm)) await complete(farm, id);
    const ended = await read(scene, made);
    assert.deepEqual([ended.status, ended.result, ended.credits], ["completed", "3 / 3", { held: 150, spent: 150 }]);
    const links = await linksOf(scene, made);
    assert.deepEqual(
      [...new Set(links.map((link) => [link.service_type, link.status, link.is_indexed].join()))],
      [[type, "completed", type === "indexing"].join()],
    );
    const { data: stats } = await scene.ask("readTypeStats", { params: { type } });
    assert.deepEqual([stats.requests.completed, stats.links.completed], [1, 3]);
    await scene.ask("deleteRequest", { params: { type, id: made.id } });
    assert.equal(await balance(scene), 850, "what was posted stays paid");
  });
