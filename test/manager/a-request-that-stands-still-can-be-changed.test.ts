import assert from "node:assert/strict";
import { withOwner, type OwnerScene } from "./backlink-support.ts";
import {
  act,
  balance,
  begin,
  complete,
  failForGood,
  fund,
  groupOn,
  linksOf,
  order,
  read,
  running,
  type ShownRequest,
} from "./given-requests.ts";

const put = async (scene: OwnerScene, { id, service_type: type }: ShownRequest, json: object) =>
  scene.api("PUT", `/${type}/${id}`, { json });

/** Two of four units of 50 are posted, and it is stopped. The farm has the other two by now. */
async function stoppedHalfway(scene: OwnerScene) {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com", "c.example.com", "d.example.com"], "entity");
  const made = await running(scene, { group_id, target: 4 }, "entity");
  const farm = scene.farm("farm-1");
  const tasks = await begin(farm);
  for (const { id } of tasks.slice(0, 2)) await complete(farm, id);
  await act(scene, made, "stop");
  assert.equal(await balance(scene), 900);
  return { made, farm, open: tasks.slice(2).map(({ id }) => id) };
}

withOwner(
  "[B17] [B18] a new price and target of a stopped request cost nothing before its restart; what came is paid as it was",
  async (scene) => {
    const { made, farm, open } = await stoppedHalfway(scene);
    const changed = await put(scene, made, {
      auction_price: 80,
      target: 3,
      website: "https://b.example.com",
      config: { a: 1 },
      type_request: "",
    });
    assert.deepEqual(
      [
        changed.status,
        changed.body.status,
        changed.body.auction_price,
        changed.body.target,
        changed.body.website,
        changed.body.type_request,
      ],
      [200, "stopped", 80, 3, "https://b.example.com", "entity"],
    );
    assert.deepEqual(changed.body.credits, { held: 100, spent: 100 });
    assert.equal(await balance(scene), 900);

    await fund(scene, -821);
    const refused = await act(scene, made, "restart");
    assert.equal(refused.status, 402);
    assert.match(refused.body.message, /80 are needed, and 79 are left/);
    assert.deepEqual(await read(scene, made), changed.body, "a refused restart changes nothing");
    await fund(scene, 1);
    const again = await act(scene, made, "restart");
    assert.deepEqual([again.body.status, again.body.credits], ["running", { held: 180, spent: 100 }]);
    assert.equal(await balance(scene), 0);
    assert.deepEqual((await linksOf(scene, made)).map(({ status }) => status).toSorted(), [
      "canceled",
      "completed",
      "completed",
      "running",
    ]);
    for (const { id } of await begin(farm)) await complete(farm, id);
    const ended = await read(scene, made);
    assert.deepEqual([ended.status, ended.result, ended.credits], ["completed", "3 / 3", { held: 180, spent: 180 }]);
    assert.equal(open.length, 2);
  },
);

withOwner("[B17] a late word about a stopped request costs the price of its time, also when nothing is left", async (scene) => {
  const { made, farm, open } = await stoppedHalfway(scene);
  await put(scene, made, { auction_price: 70 });
  await fund(scene, -900);
  await complete(farm, open[0] ?? "");
  assert.deepEqual((await read(scene, made)).credits, { held: 170, spent: 170 });
  assert.equal(await balance(scene), -70, "it is on its site");
  assert.equal((await scene.api("POST", "/entity", { json: { name: "More", auction_price: 1, target: 1 } })).status, 402);
  await put(scene, made, { auction_price: 50 });
  assert.deepEqual((await read(scene, made)).credits, { held: 170, spent: 170 }, "what is paid is paid");
  await scene.ask("deleteRequest", { params: { type: "entity", id: made.id } });
  assert.equal(await balance(scene), -70);
});

withOwner("[B17] a stopped request can't be lowered below what is posted, nor priced out of its range", async (scene) => {
  const { made } = await stoppedHalfway(scene);
  assert.equal((await put(scene, made, { target: 1 })).status, 422);
  assert.equal((await put(scene, made, { target: 2 })).status, 200);
  assert.equal((await act(scene, made, "restart")).status, 409, "nothing more is ordered");
  const podcast = await order(scene);
  await act(scene, podcast, "stop");
  assert.equal((await put(scene, podcast, { auction_price: 49 })).status, 422);
  assert.equal(
    (await put(scene, podcast, { auction_price: 100, target: 1_000_000 })).status,
    200,
    "nothing is reserved while it stands still",
  );
  assert.equal((await act(scene, podcast, "restart")).status, 422, "it has no group");
  const group_id = await groupOn(scene, ["a.example.com"]);
  assert.equal((await put(scene, podcast, { group_id })).status, 200);
  assert.equal((await act(scene, podcast, "restart")).status, 402);
  assert.equal((await put(scene, podcast, { target: 2 })).status, 200);
  assert.deepEqual((await act(scene, podcast, "restart")).body.credits, { held: 200, spent: 0 });
});

withOwner("[B17] a failed request can be changed and restarted; one that is completed can only be renamed", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com"], "social");
  const made = await running(scene, { group_id, target: 1 }, "social");
  const farm = scene.farm("farm-1");
  for (const { id } of await begin(farm)) await failForGood(farm, id);
  assert.deepEqual([(await read(scene, made)).status, await balance(scene)], ["failed", 1000]);
  assert.deepEqual((await put(scene, made, { auction_price: 60 })).body.credits, { held: 0, spent: 0 });
  await act(scene, made, "restart");
  assert.equal(await balance(scene), 940);
  for (const { id } of await begin(farm)) await complete(farm, id);
  assert.deepEqual((await put(scene, made, { name: "Done", priority: 3 })).body.status, "completed");
  for (const json of [{ auction_price: 50 }, { target: 5 }, { data: {} }, { group_id: null }])
    assert.equal((await put(scene, made, json)).status, 409, JSON.stringify(json));
  assert.equal(await balance(scene), 940);
});

withOwner(
  "[B18] a restart forgets no try: what failed has what is left of its tries, or the one; what was canceled goes on",
  async (scene) => {
    await fund(scene, 1000);
    const group_id = await groupOn(scene, ["a.example.com", "b.example.com", "c.example.com"], "entity");
    const made = await running(scene, { group_id, target: 3 }, "entity");
    const farm = scene.farm("farm-1");
    const [worn, closed, open] = (await begin(farm)).map(({ id }) => id);
    await failForGood(farm, closed ?? "");
    for (let tries = 1; tries <= 4; tries++) {
      await farm.start(worn ?? "");
      assert.equal((await farm.fail(worn ?? "", { error_message: `down (${tries})` })).status, 200);
      scene.clock.forwardMinutes(5);
    }
    await farm.start(open ?? "");
    await farm.fail(open ?? "", { error_message: "down once" });
    await act(scene, made, "stop");
    const counts = async () => {
      const links = await linksOf(scene, made);
      return [worn, closed, open].map((id) => links.find((link) => link.id === id)).map((link) => [link?.status, link?.retry_count]);
    };
    assert.deepEqual(await counts(), [
      ["failed", 3],
      ["failed", 0],
      ["canceled", 1],
    ]);
    await act(scene, made, "restart");
    assert.deepEqual(await counts(), [
      ["queued", 4],
      ["queued", 1],
      ["queued", 1],
    ]);
    await begin(farm);
    for (const id of [worn, closed, open]) await farm.fail(id ?? "", { error_message: "down again" });
    assert.deepEqual(await counts(), [
      ["failed", 4],
      ["pending", 2],
      ["pending", 2],
    ]);
  },
);

withOwner("[B18] what a farm holds stays its own through stop and restart: nobody else posts it at the same time", async (scene) => {
  const { made, farm, open } = await stoppedHalfway(scene);
  await act(scene, made, "restart");
  const other = scene.farm("farm-2");
  assert.deepEqual(await other.pull("?limit=10"), []);
  assert.equal((await other.start(open[0] ?? "")).status, 409);
  assert.deepEqual((await linksOf(scene, made)).map(({ status }) => status).toSorted(), ["completed", "completed", "running", "running"]);
  assert.deepEqual(
    (await farm.pull("?limit=10")).map(({ id }) => id).toSorted(),
    open.toSorted(),
    "a farm that has dropped it gets it back",
  );
  await complete(farm, open[0] ?? "");
  // The lease of one that is never heard of again runs out.
  scene.clock.forwardMinutes(16);
  assert.deepEqual(
    (await other.pull("?limit=10")).map(({ id }) => id),
    open.slice(1),
  );
});

withOwner(
  "[B11] [B18] no link comes back for an account that has moved to another site, and none moves while a link is open",
  async (scene) => {
    const { made, open } = await stoppedHalfway(scene);
    const links = await linksOf(scene, made);
    const moved = links.find(({ id }) => id === open[0]);
    const put = await scene.api("PUT", `/accounts/${moved?.account_id}`, {
      json: { website: "https://elsewhere.example.com", password: "new" },
    });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    await act(scene, made, "restart");
    assert.equal((await linksOf(scene, made)).find(({ id }) => id === open[0])?.status, "canceled");
    const other = links.find(({ id }) => id === open[1]);
    const refused = await scene.api("PUT", `/accounts/${other?.account_id}`, { json: { website: "https://elsewhere.example.com" } });
    assert.equal(refused.status, 409);
  },
);

withOwner("[B17] a group is named by its id, in whatever letters; by none there is nothing", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com"]);
  const made = await running(scene, { group_id: group_id.toUpperCase() });
  const same = await scene.api("PUT", `/podcast/${made.id}`, { json: { group_id: group_id.toUpperCase() } });
  assert.deepEqual([same.status, same.body.group_id], [200, group_id], "nothing has changed of what runs");
  for (const none of ["", "x", "00000000-0000-4000-8000-0000000000ff"]) {
    const json = { name: "R", auction_price: 50, group_id: none };
    assert.equal((await scene.api("POST", "/podcast", { json })).status, 404, `POST ${none}`);
    assert.equal((await scene.api("PUT", `/podcast/${made.id}`, { json: { group_id: none } })).status, 404, `PUT ${none}`);
  }
});
