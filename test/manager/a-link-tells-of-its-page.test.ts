import assert from "node:assert/strict";
import { withOwner, type OwnerScene } from "./backlink-support.ts";
import { begin, complete, fund, groupOn, linksOf, running, type ShownRequest } from "./given-requests.ts";

const link_post = "https://a.example.com/post/1";

async function started(scene: OwnerScene, sites: string[], type: "entity" | "indexing" = "entity") {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, sites, type);
  const made = await running(scene, { group_id, target: sites.length }, type);
  const farm = scene.farm("farm-1");
  return { group_id, made, farm, ids: (await begin(farm)).map(({ id }) => id) };
}

const linkOf = async (scene: OwnerScene, made: ShownRequest, id = "") => (await linksOf(scene, made)).find((link) => link.id === id);

withOwner("[B20] the farm says what the profile is and whether the page is indexed, at once or later", async (scene) => {
  const { group_id, made, farm, ids } = await started(scene, ["a.example.com", "b.example.com"]);
  const [id = "", other = ""] = ids;
  const told = async (): Promise<unknown[]> => {
    const link = await linkOf(scene, made, id);
    return [link?.about, link?.link_profile, link?.is_indexed];
  };
  const say = async (more: object) => (await farm.complete(id, { link_post, ...more })).status;
  assert.equal(await say({ link_profile: "profile/user1" }), 422);
  assert.equal(await say({ is_indexed: "yes" }), 400);
  assert.equal(await say({ about: "Bio text", link_profile: "https://a.example.com/profile/user1" }), 200);
  assert.deepEqual(await told(), ["Bio text", "https://a.example.com/profile/user1", false]);
  const indexed = async () =>
    (await scene.ask("listAccounts", { params: { id: group_id } })).data.filter((one) => one.is_indexed).map(({ website }) => website);
  assert.deepEqual(await indexed(), []);
  scene.clock.forwardMinutes(30);
  assert.equal(await say({ is_indexed: true }), 200);
  assert.deepEqual(await told(), ["Bio text", "https://a.example.com/profile/user1", true], "what is not said stays");
  assert.deepEqual(await indexed(), ["a.example.com"]);
  assert.equal(await say({}), 200);
  assert.equal(await say({ is_indexed: false, about: "" }), 200);
  assert.deepEqual(await told(), ["", "https://a.example.com/profile/user1", false], "the last word counts");
  assert.equal((await farm.complete(id, { link_post: "https://a.example.com/post/2", is_indexed: true })).status, 409);
  await complete(farm, other);
  assert.deepEqual((await linkOf(scene, made, other))?.is_indexed, false);
});

withOwner("[B20] what the service indexing has completed is indexed, and so is its account", async (scene) => {
  const { group_id, made, farm, ids } = await started(scene, ["a.example.com"], "indexing");
  assert.equal((await linkOf(scene, made, ids[0]))?.is_indexed, false);
  await complete(farm, ids[0] ?? "");
  assert.equal((await linkOf(scene, made, ids[0]))?.is_indexed, true);
  assert.equal((await scene.ask("listAccounts", { params: { id: group_id } })).data[0]?.is_indexed, true);
});

withOwner("[B20] a site has one id, whoever posts there; the account has its own", async (scene) => {
  const { group_id, made } = await started(scene, ["a.example.com", "a.example.com", "b.example.com"]);
  const links = await linksOf(scene, made);
  const [one, two, other] = ["user-1", "user-2", "user-3"].map((name) => links.find(({ username }) => username === name));
  // The version 5 UUID of the name in the DNS, which other programs make too.
  assert.deepEqual([one?.site_name, one?.site_id], ["a.example.com", "565ef9a1-a550-55d9-91a4-aeeb4555c095"]);
  assert.equal(two?.site_id, one?.site_id);
  assert.notEqual(other?.site_id, one?.site_id);
  const { data } = await scene.ask("listAccounts", { params: { id: group_id } });
  assert.deepEqual(links.map(({ account_id }) => account_id).toSorted(), data.map(({ id }) => id).toSorted());
});
