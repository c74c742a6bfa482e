import assert from "node:assert/strict";
import fc from "fast-check";
import type { WorkerTask } from "../../src/contract/worker-api.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";
import { act, balance, begin, episodes, fund, groupOn, linksOf, read, running, type ShownRequest } from "./given-requests.ts";
import type { TestFarm } from "./support.ts";

const addressOf = (id: string): string => `https://a.example.com/e/${id}`;
const titles = (task: WorkerTask | undefined): string[] => (task?.data_content ?? []).map(({ title }) => title);

/** Fails for good, or for this time, with the first of its episodes on the site. @returns their ids */
async function failHaving(farm: TestFarm, task: WorkerTask | undefined, posted: number, retry = false): Promise<string[]> {
  const ids = (task?.data_content ?? []).slice(0, posted).map(({ id }) => id);
  const error_message = `${posted}/${task?.data_content.length} posted at ${Math.random()}`;
  const answer = await farm.fail(task?.id ?? "", {
    error_message,
    retry,
    posted: Object.fromEntries(ids.map((id) => [id, addressOf(id)])),
  });
  assert.equal(answer.status, 200, answer.text);
  return ids;
}

async function finish(farm: TestFarm, task: WorkerTask | undefined): Promise<void> {
  const links = Object.fromEntries((task?.data_content ?? []).map(({ id }) => [id, addressOf(id)]));
  const answer = await farm.complete(task?.id ?? "", { link_post: Object.values(links)[0], note: JSON.stringify(links) });
  assert.equal(answer.status, 200, answer.text);
}

const orderOf = (group_id: string, count: number, target = count) => ({ group_id, target, data: { episodes: episodes(count) } });

withOwner("[posted] who takes over gets what is not on the site yet; each episode is charged once", async (scene) => {
  await fund(scene, 1000);
  const made = await running(scene, orderOf(await groupOn(scene, ["a.example.com", "a.example.com"]), 3));
  const farm = scene.farm("farm-1");
  const [first] = await begin(farm);
  await failHaving(farm, first, 1);
  const between = await read(scene, made);
  assert.deepEqual([between.status, between.result, between.credits], ["running", "1 / 3", { held: 150, spent: 50 }]);
  const [second] = await begin(farm);
  assert.deepEqual([second?.username, titles(second)], ["user-2", ["Episode 2", "Episode 3"]]);
  await finish(farm, second);
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result, ended.credits], ["completed", "3 / 3", { held: 150, spent: 150 }]);
  assert.equal(await balance(scene), 850);
});

withOwner("[posted] the same account's next try gets the rest, and the note names all of them in the end", async (scene) => {
  await fund(scene, 1000);
  const made = await running(scene, orderOf(await groupOn(scene, ["a.example.com"]), 3));
  const farm = scene.farm("farm-1");
  const [first] = await begin(farm);
  await failHaving(farm, first, 1, true);
  assert.deepEqual((await read(scene, made)).credits, { held: 150, spent: 50 });
  scene.clock.forwardMinutes(2);
  const [again] = await begin(scene.farm("farm-2"));
  assert.deepEqual([again?.id, titles(again)], [first?.id, ["Episode 2", "Episode 3"]]);
  await finish(scene.farm("farm-2"), again);
  const [link] = await linksOf(scene, made);
  assert.deepEqual(JSON.parse(link?.note ?? ""), Object.fromEntries(first?.data_content.map(({ id }) => [id, addressOf(id)]) ?? []));
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result, ended.credits], ["completed", "3 / 3", { held: 150, spent: 150 }]);
});

withOwner("[posted] a restart hands out what no account of the site has posted, and reserves no more than that", async (scene) => {
  await fund(scene, 1000);
  const made = await running(scene, orderOf(await groupOn(scene, ["a.example.com", "a.example.com"]), 3));
  const farm = scene.farm("farm-1");
  await failHaving(farm, (await begin(farm))[0], 1);
  await failHaving(farm, (await begin(farm))[0], 1);
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result, ended.credits], ["completed", "2 / 3", { held: 100, spent: 100 }]);
  const again = await act(scene, made, "restart");
  assert.deepEqual([again.status, again.body.credits], [200, { held: 150, spent: 100 }]);
  const tasks = await begin(farm);
  assert.deepEqual(tasks.map(titles), [["Episode 3"]]);
  await finish(farm, tasks[0]);
  assert.deepEqual((await read(scene, made)).credits, { held: 150, spent: 150 });
  assert.equal((await act(scene, made, "restart")).status, 409);
});

withOwner("[posted] farms that say nothing, or too much, are taken as they are", async (scene) => {
  await fund(scene, 1000);
  const made = await running(scene, orderOf(await groupOn(scene, ["a.example.com"]), 2));
  const farm = scene.farm("farm-1");
  for (const posted of [undefined, null, {}, { "somebody-elses": "https://a.example.com/1", toString: "" }]) {
    const [task] = await begin(farm);
    assert.deepEqual(titles(task), ["Episode 1", "Episode 2"]);
    assert.equal((await farm.fail(task?.id ?? "", { error_message: `for ${JSON.stringify(posted)}`, retry: false, posted })).status, 200);
    assert.deepEqual((await read(scene, made)).credits.spent, 0);
    await act(scene, made, "restart");
  }
  const [task] = await begin(farm);
  const wrong: [unknown, number][] = [
    [[], 400],
    ["all", 400],
    [{ x: 5 }, 400],
    [{ "": "" }, 422],
    [{ x: "y".repeat(4001) }, 422],
    [Object.fromEntries(Array.from({ length: 20_001 }, (_, index) => [index, ""])), 422],
  ];
  for (const [posted, status] of wrong) {
    const answer = await farm.fail(task?.id ?? "", { error_message: "x", posted });
    assert.deepEqual([answer.status, /posted/.test(answer.body.message ?? "")], [status, true], answer.text);
  }
  await failHaving(farm, task, 2);
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result, ended.credits], ["completed", "2 / 2", { held: 100, spent: 100 }], "all of it is there");
});

const steps = ["post all", "post some", "post some and give up", "stop", "restart", "retry all", "wait"] as const;

withOwner("[posted] farms that post whatever they are handed bring no episode to a site twice, and each is charged once", async (scene) => {
  const group_id = await groupOn(scene, ["a.example.com", "a.example.com", "a.example.com", "b.example.com", "b.example.com"]);
  const move = fc.record({ step: fc.constantFrom(...steps), posted: fc.nat({ max: 3 }), pick: fc.nat({ max: 3 }) });
  await fund(scene, 100_000);
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 8, maxLength: 16 }), fc.integer({ min: 2, max: 8 }), async (moves, target) => {
      scene.clock.forwardMinutes(1);
      scene.owner.token = await scene.login(scene.owner.email, scene.owner.password);
      const made = await running(scene, orderOf(group_id, 4, target));
      const onSite: string[] = [];
      for (const { step, posted, pick } of moves) {
        await take(scene, made, { step, posted, pick, onSite });
        assert.deepEqual(onSite, [...new Set(onSite)], step);
        const { status, result, credits } = await read(scene, made);
        const spent = 50 * onSite.length;
        assert.deepEqual(
          [result, credits],
          [`${onSite.length} / ${target}`, { spent, held: status === "running" ? 50 * target : spent }],
          `${step}: ${status}`,
        );
      }
      await scene.ask("deleteRequest", { params: { type: "podcast", id: made.id } });
    }),
    { numRuns: 6 },
  );
});

interface Step {
  step: (typeof steps)[number];
  posted: number;
  pick: number;
  /** Site and episode of each post. */
  onSite: string[];
}

/** A farm without a memory: it posts what the task says, from the first on. */
async function take(scene: OwnerScene, made: ShownRequest, { step, posted, pick, onSite }: Step): Promise<void> {
  if (step === "wait") return scene.clock.forwardMinutes(5);
  if (step === "stop" || step === "restart") return void (await act(scene, made, step));
  if (step === "retry all") return void (await scene.api("POST", `/podcast/${made.id}/links/retry-all`));
  const farm = scene.farm(`farm-${pick}`);
  const tasks = (await farm.pull("?type=primary&limit=1000")).filter(({ request_id }) => request_id === made.id);
  const task = tasks[pick % Math.max(1, tasks.length)];
  if (!task) return;
  assert.equal((await farm.start(task.id)).status, 200);
  const { domain, data_content: work } = task;
  const ids =
    step === "post all" ? work.map(({ id }) => id) : await failHaving(farm, task, Math.min(posted, work.length - 1), step === "post some");
  if (step === "post all") await finish(farm, task);
  onSite.push(...ids.map((id) => `${domain} ${id}`));
}
