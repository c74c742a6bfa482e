import assert from "node:assert/strict";
import { withOwner, type OwnerScene } from "./backlink-support.ts";
import { begin, fund, groupOn, linksOf, running } from "./given-requests.ts";

async function accountsOf(scene: OwnerScene, id: string) {
  return (await scene.ask("listAccounts", { params: { id }, query: { limit: 100 } })).data.toSorted((a, b) =>
    (a.username ?? "").localeCompare(b.username ?? ""),
  );
}

const refused = { error_message: "0/2 posted. The site refused the account's name or password.", code: "account.refused" };

withOwner(
  "[permanent] an account whose password the site refused is no active one from then on, and the next takes over",
  async (scene) => {
    await fund(scene, 1000);
    const group_id = await groupOn(scene, ["a.example.com", "a.example.com"]);
    const made = await running(scene, { group_id });
    const farm = scene.farm("farm-1");
    const [task] = await begin(farm);
    assert.equal((await farm.fail(task?.id ?? "", refused)).status, 200);
    assert.deepEqual(
      (await accountsOf(scene, group_id)).map(({ username, status }) => [username, status]),
      [
        ["user-1", "failed"],
        ["user-2", "active"],
      ],
    );
    assert.deepEqual((await linksOf(scene, made)).map(({ username, status }) => [username, status]).toSorted(), [
      ["user-1", "failed"],
      ["user-2", "queued"],
    ]);
    const next = await running(scene, { group_id });
    assert.deepEqual(
      (await linksOf(scene, next)).map(({ username }) => username),
      ["user-2"],
      "the next request does not choose it",
    );
  },
);

withOwner("[permanent] other secrets, or a check that passes, bring a refused account back", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"]);
  await running(scene, { group_id, target: 4 });
  const farm = scene.farm("farm-1");
  for (const { id } of await begin(farm)) await farm.fail(id, refused);
  const [first, second] = await accountsOf(scene, group_id);
  assert.deepEqual([first?.status, second?.status], ["failed", "failed"]);
  assert.match(first?.note ?? "", /refused the account's name or password/);
  await scene.ask("changeAccount", { params: { id: first?.id ?? "" }, json: { password: "another-password" } });
  await scene.ask("checkAccount", { params: { id: second?.id ?? "" } });
  const [check] = (await scene.call("/checks")).body.data as { id: string }[];
  assert.equal((await scene.call(`/checks/${check?.id}`, { method: "POST", json: { ok: true } })).status, 200);
  assert.deepEqual(
    (await accountsOf(scene, group_id)).map(({ status, note }) => [status, note]),
    [
      ["active", (await accountsOf(scene, group_id))[0]?.note],
      ["active", ""],
    ],
  );
});

withOwner("[permanent] what a person has to look at, what is tried again, and what is switched off marks no account", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com", "c.example.com"]);
  await running(scene, { group_id, target: 6 });
  const farm = scene.farm("farm-1");
  const [one, two, three] = (await begin(farm)).toSorted((a, b) => a.username.localeCompare(b.username));
  await scene.ask("changeAccount", { params: { id: three?.account_id ?? "" }, json: { active: false } });
  await farm.fail(one?.id ?? "", { error_message: "captcha", code: "account.challenged", retry: false });
  await farm.fail(two?.id ?? "", { ...refused, retry: true });
  await farm.fail(three?.id ?? "", refused);
  assert.deepEqual(
    (await accountsOf(scene, group_id)).map(({ status }) => status),
    ["active", "active", "inactive"],
  );
});
