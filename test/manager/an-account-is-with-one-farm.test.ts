import assert from "node:assert/strict";
import { withOwner, type OwnerScene } from "./backlink-support.ts";
import { begin, complete, fund, groupOn, running } from "./given-requests.ts";

const checksOf = async (scene: OwnerScene, worker: string) =>
  (await scene.call("/checks?limit=100", { worker })).body.data as { id: string; account_id: string }[];

withOwner("[race] of an account that one farm works on no other farm gets a task, of whatever request", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"]);
  await running(scene, { group_id, target: 4 });
  const [one, two] = [scene.farm("farm-1"), scene.farm("farm-2")];
  const [first] = await one.pull("?limit=1");
  const second = await running(scene, { group_id, target: 4, priority: 9 });
  const free = await two.pull("?limit=1000");
  assert.deepEqual(
    free.map(({ domain }) => domain),
    ["b.example.com", "b.example.com"],
    "what stands behind an account that is taken is handed out all the same",
  );
  assert.ok(first && !free.some(({ account_id }) => account_id === first.account_id));
  assert.deepEqual(
    (await one.pull("?limit=1000")).map(({ domain }) => domain),
    ["a.example.com", "a.example.com"],
    "the same farm takes turns by itself",
  );
  for (const { id } of await begin(one)) await complete(one, id);
  const third = await running(scene, { group_id, target: 2 });
  assert.deepEqual(
    (await two.pull("?limit=1000")).filter(({ request_id }) => request_id === third.id).map(({ domain }) => domain),
    ["a.example.com"],
    "it is free again when all of it has ended",
  );
  scene.clock.forwardMinutes(16);
  assert.equal((await one.pull("?limit=1000")).filter(({ request_id }) => request_id === second.id).length, 1, "or its lease is out");
});

withOwner("[checks] an account is checked by the farm that works on it, or when none does; and the other way round", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"]);
  await running(scene, { group_id, target: 2 });
  const [task] = await scene.farm("farm-1").pull();
  await scene.ask("checkAll", { params: { id: group_id } });
  const [other, ...none] = await checksOf(scene, "farm-2");
  assert.deepEqual(none, []);
  assert.ok(task && other && other.account_id !== task.account_id);
  assert.equal((await checksOf(scene, "farm-1"))[0]?.account_id, task.account_id);
  await running(scene, { group_id, target: 4 });
  const sitesOf = async (worker: string) => (await scene.farm(worker).pull("?limit=100")).map(({ domain }) => domain);
  assert.deepEqual(await sitesOf("farm-3"), []);
  assert.deepEqual(await sitesOf("farm-2"), ["b.example.com"]);
  assert.deepEqual(await sitesOf("farm-1"), ["a.example.com", "a.example.com"]);
});

withOwner("[race] [checks] farms that pull at once never share an account", async (scene) => {
  await fund(scene, 100_000);
  const group_id = await groupOn(
    scene,
    Array.from({ length: 24 }, (_, index) => `s${index}.example.com`),
  );
  for (let count = 0; count < 4; count += 1) await running(scene, { group_id, target: 48 });
  await scene.ask("checkAll", { params: { id: group_id } });
  const holders = new Map<string, Set<string>>();
  const note = (account: string, worker: string): void => void holders.set(account, new Set([...(holders.get(account) ?? []), worker]));
  for (let round = 0; round < 3; round += 1)
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const worker = `farm-${index}`;
        const [tasks, checks] = await Promise.all([scene.farm(worker).pull(`?limit=${(round + 1) * 4}`), checksOf(scene, worker)]);
        for (const { account_id } of [...tasks, ...checks]) note(account_id, worker);
      }),
    );
  assert.equal(holders.size, 24);
  for (const [account, workers] of holders) assert.equal(workers.size, 1, `${account} is with ${[...workers].join(" and ")}`);
});
