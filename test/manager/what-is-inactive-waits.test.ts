import assert from "node:assert/strict";
import { withOwner, type OwnerScene } from "./backlink-support.ts";
import { fund, groupOn, linksOf, running } from "./given-requests.ts";
import { link, type TestFarm } from "./support.ts";

const hosts = ["a.example.com", "b.example.com", "c.example.com"];

/** A running request with one task on each of three sites. */
async function begun(scene: OwnerScene): Promise<{ groupId: string }> {
  await fund(scene, 10_000);
  const groupId = await groupOn(scene, hosts);
  await running(scene, { group_id: groupId, target: 6 });
  return { groupId };
}

const setGroup = async ({ ask }: OwnerScene, id: string, status: "active" | "inactive") =>
  ask("changeGroup", { params: { id }, json: { status } });
const domains = async (farm: TestFarm, sites?: string) => (await farm.pull("?limit=100", { sites })).map(({ domain }) => domain);

withOwner("[B4] [W1] nobody gets the waiting links of an inactive group, its holder finishes what he has", async (scene) => {
  const { groupId } = await begun(scene);
  const [one, two] = [scene.farm("farm-1"), scene.farm("farm-2")];
  const [held] = await one.pull("?limit=1");
  await setGroup(scene, groupId, "inactive");
  assert.deepEqual(await domains(two), []);
  assert.deepEqual(await domains(two, hosts.join(",")), []);
  assert.deepEqual(await domains(one), ["a.example.com"], "its own again, and no more");
  assert.equal((await one.start(held?.id ?? "")).status, 200);
  assert.equal((await one.complete(held?.id ?? "", { link_post: link })).status, 200);
  await setGroup(scene, groupId, "active");
  assert.deepEqual(await domains(two), ["b.example.com", "c.example.com"]);
});

withOwner("[B4] [lease] a link of an inactive group whose lease ran out waits as well, also for who starts it unasked", async (scene) => {
  const { groupId } = await begun(scene);
  const [one, two] = [scene.farm("farm-1"), scene.farm("farm-2")];
  const [held] = await one.pull("?limit=1");
  const id = held?.id ?? "";
  await setGroup(scene, groupId, "inactive");
  scene.clock.forwardMinutes(15);
  assert.deepEqual(await domains(two), []);
  assert.equal((await two.start(id)).body.code, "bad_transition");
  assert.match((await scene.manager.task(id))?.waitsFor ?? "", /inactive/);
  await setGroup(scene, groupId, "active");
  assert.deepEqual((await domains(two)).toSorted(), hosts);
});

withOwner("[B8] [B11] nobody gets links of an account that its owner switched off, until it is on again", async (scene) => {
  const { groupId } = await begun(scene);
  const accounts = (await scene.ask("listAccounts", { params: { id: groupId } })).data;
  const off = accounts.find(({ website }) => website === "b.example.com");
  const change = async (active: boolean) => scene.ask("changeAccount", { params: { id: off?.id ?? "" }, json: { active } });
  await change(false);
  assert.deepEqual(await domains(scene.farm("farm-1")), ["a.example.com", "c.example.com"]);
  await setGroup(scene, groupId, "inactive");
  await change(true);
  assert.deepEqual(await domains(scene.farm("farm-2")), [], "its group is off");
  await setGroup(scene, groupId, "active");
  assert.deepEqual(await domains(scene.farm("farm-2")), ["b.example.com"]);
});

withOwner("[B8] [B9] an import that switches accounts off and on again does the same", async (scene) => {
  const { groupId } = await begun(scene);
  const farm = scene.farm("farm-1");
  const set = async (active: boolean) =>
    scene.ask("importAccounts", {
      params: { id: groupId },
      json: { overwrite: true, accounts: hosts.map((website, index) => ({ website, username: `user-${index + 1}`, active })) },
    });
  await set(false);
  assert.deepEqual(await domains(farm), []);
  await set(true);
  assert.deepEqual(await domains(farm), hosts);
});

withOwner("[B8] [B18] an account that is off when its request starts gets no link, and takes nothing over", async (scene) => {
  await fund(scene, 1000);
  const groupId = await groupOn(scene, ["a.example.com", "a.example.com"]);
  const accounts = (await scene.ask("listAccounts", { params: { id: groupId } })).data;
  const off = accounts.find(({ username }) => username === "user-2");
  await scene.ask("changeAccount", { params: { id: off?.id ?? "" }, json: { active: false } });
  const made = await running(scene, { group_id: groupId });
  const farm = scene.farm("farm-1");
  const [task] = await farm.pull();
  await farm.fail(task?.id ?? "", { error_message: "the account is closed", retry: false });
  assert.deepEqual(
    (await linksOf(scene, made)).map(({ username, status }) => [username, status]),
    [["user-1", "failed"]],
  );
});
