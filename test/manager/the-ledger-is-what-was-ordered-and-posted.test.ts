import assert from "node:assert/strict";
import fc from "fast-check";
import { withOwner, type OwnerScene } from "./backlink-support.ts";
import { balance, failForGood, fund, groupOn, linksOf, read } from "./given-requests.ts";
import { LedgerModel, type ModelRequest } from "./ledger-model.ts";

const sites = ["a.example.com", "b.example.com", "c.example.com", "d.example.com"];
const type = "entity";
const steps = [
  "create",
  "change",
  "start",
  "start",
  "complete",
  "complete",
  "fail",
  "fail, having posted",
  "late complete",
  "stop",
  "restart",
  "retry all",
  "delete link",
  "delete",
] as const;

interface Move {
  step: (typeof steps)[number];
  pick: number;
  price: number;
  target: number;
}

/** The ledger itself: an owner's balance, and what each request holds. */
async function ledger({ store, owner }: OwnerScene) {
  const { rows } = await store.raw(
    "select request_id, sum(amount)::bigint as sum from manager.credits where user_id = $1 group by request_id",
    [owner.id],
  );
  const sums = rows as { request_id: string | null; sum: number }[];
  return {
    balance: sums.reduce((all, { sum }) => all + sum, 0),
    held: (id: string): number => 0 - (sums.find(({ request_id }) => request_id === id)?.sum ?? 0),
  };
}

withOwner("[B15] hundreds of orders at once, fifty side by side, never spend more than there is", async (scene) => {
  await fund(scene, 10_000);
  const order = async (index: number) =>
    (await scene.api("POST", `/${type}`, { json: { name: `Order ${index}`, auction_price: 7 + (index % 5), target: 1 + (index % 9) } }))
      .status;
  const statuses: number[] = [];
  for (let at = 0; at < 400; at += 50)
    statuses.push(...(await Promise.all(Array.from({ length: 50 }, async (_, index) => order(at + index)))));
  assert.deepEqual([...new Set(statuses)].toSorted(), [201, 402]);
  const made = statuses.filter((status) => status === 201).length;
  const { balance: sum } = await ledger(scene);
  assert.ok(sum >= 0 && sum < 11 * 9, `${sum} are left`);
  assert.equal(await balance(scene), sum);
  const { data, total } = await scene.ask("listProjects", { query: { limit: 100 } });
  assert.equal(total, made);
  const { rows } = await scene.store.raw("select sum(auction_price * target)::bigint as reserved from manager.requests");
  assert.deepEqual(rows, [{ reserved: 10_000 - sum }]);
  await Promise.all(data.map(async ({ id }) => scene.api("DELETE", `/${type}/${id}`)));
  const { rows: rest } = await scene.store.raw("select coalesce(sum(auction_price * target), 0)::bigint as reserved from manager.requests");
  assert.deepEqual(rest, [{ reserved: 10_000 - (await balance(scene)) }]);
});

withOwner("[B15] [B17] [B18] whatever is ordered, changed, posted and stopped, the ledger is what the readings say", async (scene) => {
  const group_id = await groupOn(scene, sites, type);
  const move = fc.record({
    step: fc.constantFrom(...steps),
    pick: fc.nat({ max: 7 }),
    price: fc.integer({ min: 1, max: 9 }),
    target: fc.integer({ min: 1, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 10, maxLength: 25 }), async (moves) => {
      for (const { id } of (await scene.ask("listProjects", { query: { limit: 100 } })).data)
        await scene.ask("deleteRequest", { params: { type, id } });
      const before = await balance(scene);
      if (before !== 60) await fund(scene, 60 - before);
      const model = new LedgerModel(60, sites.length);
      for (const one of [
        { step: "create", pick: 0, price: 5, target: 3 } as const,
        { step: "start", pick: 0, price: 1, target: 1 } as const,
        ...moves,
      ]) {
        await take(scene, model, group_id, one);
        await compare(scene, model, one);
      }
    }),
    { numRuns: 12 },
  );
});

async function compare(scene: OwnerScene, model: LedgerModel, { step }: Move): Promise<void> {
  const found = await ledger(scene);
  assert.deepEqual([await balance(scene), found.balance], [model.balance, model.balance], `the balance after ${step}`);
  for (const [id, { status, done, target, held, spent, price }] of model.requests) {
    const shown = await read(scene, { id, service_type: type });
    assert.deepEqual(
      [shown.status, shown.auction_price, shown.result, shown.credits, found.held(id)],
      [status, price, `${done} / ${target}`, { held, spent }, held],
      `a request after ${step}`,
    );
  }
}

const open: readonly string[] = ["pending", "queued", "running"];

/** The same step by the API and in the model. Without anything to take it to it is none. */
async function take(scene: OwnerScene, model: LedgerModel, group_id: string, { step, pick, price, target }: Move): Promise<void> {
  const farm = scene.farm("farm-1");
  if (step === "create") {
    const answer = await scene.api("POST", `/${type}`, { json: { group_id, name: "Order", auction_price: price, target } });
    const request = model.create(price, target);
    assert.equal(answer.status, request ? 201 : 402);
    if (request) model.requests.set(answer.body.id as string, request);
    return;
  }
  if (step === "complete" || step === "fail" || step === "fail, having posted") {
    const tasks = await farm.pull("?limit=1000");
    const task = tasks[pick % Math.max(1, tasks.length)];
    if (!task) return;
    assert.equal((await farm.start(task.id)).status, 200);
    const request = model.requests.get(task.request_id);
    assert.ok(request);
    const posted = { [task.data_content[0]?.id ?? ""]: `https://a.example.com/${task.id}` };
    if (step === "fail") await failForGood(farm, task.id);
    else if (step === "fail, having posted")
      assert.equal((await farm.fail(task.id, { error_message: "posted, then closed", retry: false, posted })).status, 200);
    else assert.equal((await farm.complete(task.id, { link_post: `https://a.example.com/${task.id}` })).status, 200);
    if (step === "fail") model.fail(request);
    else if (step === "fail, having posted") model.failHavingPosted(request);
    else model.complete(request, "open");
    return;
  }
  const [id, request] = [...model.requests][pick % Math.max(1, model.requests.size)] ?? [];
  if (!id || !request) return;
  if (step === "late complete" || step === "delete link") return takeToLink(scene, model, { id, request, step, pick });
  if (step === "delete") {
    await scene.ask("deleteRequest", { params: { type, id } });
    return model.remove(id, request);
  }
  const calls = {
    change: async () => scene.api("PUT", `/${type}/${id}`, { json: { auction_price: price, target } }),
    start: async () => scene.api("POST", `/${type}/${id}/start`),
    stop: async () => scene.api("POST", `/${type}/${id}/stop`),
    restart: async () => scene.api("POST", `/${type}/${id}/restart`),
    "retry all": async () => scene.api("POST", `/${type}/${id}/links/retry-all`),
  };
  const expected = {
    change: () => model.change(request, price, target),
    start: () => model.start(request),
    stop: () => model.stop(request),
    restart: () => model.restart(request),
    "retry all": () => model.retryAll(request),
  };
  const answer = await calls[step]();
  assert.equal(answer.status, expected[step](), `${step}: ${answer.text}`);
}

async function takeToLink(
  scene: OwnerScene,
  model: LedgerModel,
  { id, request, step, pick }: { id: string; request: ModelRequest; step: "late complete" | "delete link"; pick: number },
): Promise<void> {
  const isLate = step === "late complete";
  const links = (await linksOf(scene, { id, service_type: type })).filter(
    ({ status, started_at }) => !isLate || ((status === "failed" || status === "canceled") && started_at !== null),
  );
  const link = links[pick % Math.max(1, links.length)];
  if (!link) return;
  const isHalfway = link.status === "failed" && link.note !== "";
  const was = open.includes(link.status) ? "open" : isHalfway ? "halfway" : (link.status as "failed" | "canceled" | "completed");
  if (isLate && was !== "completed") {
    const answer = await scene.farm("farm-1").complete(link.id, { link_post: `https://a.example.com/${link.id}` });
    assert.equal(answer.status, 200, answer.text);
    return model.complete(request, was);
  }
  await scene.ask("deleteLink", { params: { type, id, linkId: link.id } });
  model.deleteLink(request, was);
}
