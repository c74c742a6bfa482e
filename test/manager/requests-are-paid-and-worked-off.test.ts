import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { withOwner, type OwnerScene } from "./backlink-support.ts";
import {
  act,
  balance,
  begin,
  complete,
  episodes,
  failForGood,
  fund,
  groupOn,
  linksOf,
  order,
  read,
  running,
  type ShownRequest,
} from "./given-requests.ts";

const PRICE = 50;
const steps = [
  "create",
  "start",
  "stop",
  "restart",
  "complete",
  "fail",
  "retry",
  "retry all",
  "delete link",
  "delete",
  "late complete",
] as const;

withOwner("[B15] an order is answered whole, as it was given, and its price is reserved", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com"]);
  const json = {
    group_id,
    name: " Campaign A ",
    website: "https://target.example.com",
    auction_price: 60,
    target: 5,
    priority: 7,
    config: { tone: "calm", nested: [1, { two: null }] },
    data: { episodes: [{ title: "One", about: "A text", mood: "blue" }], note: "kept" },
    folder_urls: { main: "https://drive.example.com/1" },
  };
  const made = await scene.ask("createRequest", { params: { type: "podcast" }, json });
  const { id, created_at, updated_at, ...rest } = made;
  assert.deepEqual(rest, {
    ...json,
    name: "Campaign A",
    user_id: scene.owner.id,
    service_type: "podcast",
    type_request: "podcast",
    created_links: 0,
    result: "0 / 5",
    status: "pending",
    credits: { held: 300, spent: 0 },
    started_at: null,
    completed_at: null,
  });
  assert.equal(created_at, new Date(scene.clock.now()).toISOString());
  assert.equal(updated_at, created_at);
  assert.equal(await balance(scene), 700);
  assert.deepEqual(await read(scene, made), made);
  const least = await scene.ask("createRequest", {
    params: { type: "entity" },
    json: { name: "Least", auction_price: 1, type_request: "normal" },
  });
  assert.deepEqual([least.target, least.type_request, least.group_id, least.website, least.data], [10, "normal", null, "", {}]);
  assert.equal(await balance(scene), 690);
  assert.notEqual(id, least.id);
});

withOwner("[B15] without the credits it is refused with 402, and nothing is left of it", async (scene) => {
  await fund(scene, 99);
  const answer = await scene.api("POST", "/podcast", { json: { name: "Dear", auction_price: 50, target: 2 } });
  assert.deepEqual([answer.status, answer.body.code], [402, "payment_required"]);
  assert.match(answer.body.message, /100 are needed, and 99 are left/);
  assert.equal(await balance(scene), 99);
  assert.equal((await scene.ask("listProjects")).total, 0);
});

withOwner("[B15] a wrong type is 400, a broken rule 422, a foreign group 404; nothing is charged", async (scene) => {
  await fund(scene, 1_000_000);
  const stranger = await scene.addUser("owner");
  const foreign = await scene.api("POST", "/groups", { token: stranger.token, json: { name: "Theirs", service_type: "podcast" } });
  const post = async (json: object, type = "podcast") =>
    (await scene.api("POST", `/${type}`, { json: { name: "x", auction_price: 50, ...json } })).status;
  for (const wrong of [{ name: 5 }, { auction_price: "50" }, { target: "ten" }, { config: [] }, { data: { episodes: 5 } }, { group_id: 5 }])
    assert.equal(await post(wrong), 400, JSON.stringify(wrong));
  assert.equal((await scene.api("POST", "/podcast", { json: { name: "no price" } })).status, 400);
  const broken = [
    { name: " " },
    { name: "x".repeat(201) },
    { auction_price: 0 },
    { auction_price: 49 },
    { auction_price: 101 },
    { target: 0 },
    { website: "not an address" },
    {
      data: {
        episodes: [
          { id: "1", title: "One", about: "A text" },
          { id: "1", title: "Two", about: "A text" },
        ],
      },
    },
    { config: { half: "\ud800" } },
    { config: JSON.parse(`${'{"a":'.repeat(100)}1${"}".repeat(100)}`) as object },
  ];
  for (const json of broken) assert.equal(await post(json), 422, JSON.stringify(json).slice(0, 100));
  assert.equal(await post({ auction_price: 49 }, "blog20"), 422);
  assert.equal(await post({ group_id: randomUUID() }), 404);
  assert.equal(await post({ group_id: foreign.body.id as string }), 404);
  assert.equal(await balance(scene), 1_000_000);
  for (const [type, auction_price] of [
    ["entity", 1],
    ["social", 101],
    ["stacking", 49],
    ["indexing", 5000],
    ["blog20", 100],
  ] as const)
    assert.equal(await post({ auction_price }, type), 201, type);
});

withOwner("[B17] who is not its owner finds nothing, whatever they do with it", async (scene) => {
  await fund(scene, 1000);
  const made = await order(scene);
  const stranger = await scene.addUser("owner");
  const calls: [string, string, object?][] = [
    ["GET", ""],
    ["PUT", "", { name: "mine" }],
    ["DELETE", ""],
    ["POST", "/start"],
    ["POST", "/stop"],
    ["POST", "/restart"],
    ["GET", "/links"],
    ["GET", "/links/export"],
    ["POST", "/links/retry-all"],
    ["POST", `/links/${randomUUID()}/retry`],
    ["DELETE", `/links/${randomUUID()}`],
  ];
  for (const [method, path, json] of calls) {
    const theirs = await scene.api(method, `/podcast/${made.id}${path}`, { token: stranger.token, json });
    assert.equal(theirs.status, 404, `${method} ${path}`);
    assert.equal((await scene.api(method, `/entity/${made.id}${path}`, { json })).status, 404, `${method} ${path} under another type`);
    assert.equal((await scene.api(method, `/nothing/${made.id}${path}`, { json })).status, 404, `${method} ${path} under no type`);
    assert.equal((await scene.api(method, `/podcast/17${path}`, { json })).status, 404, `${method} ${path} of no UUID`);
  }
  assert.deepEqual(await read(scene, made), made);
  for (const path of ["/nothing", "/nothing/stats"]) assert.equal((await scene.api("GET", path)).status, 404, path);
  assert.equal((await scene.ask("listRequests", { params: { type: "podcast" }, token: stranger.token })).total, 0);
});

withOwner("[B17] an operator works for the owner, a viewer only reads", async (scene) => {
  await fund(scene, 1000);
  const [operator, viewer] = [await scene.addUser("operator"), await scene.addUser("viewer")];
  const json = { name: "Campaign", auction_price: 50, target: 2 };
  assert.equal((await scene.api("POST", "/podcast", { json, token: viewer.token })).status, 403);
  const made = await scene.api("POST", "/podcast", { json, token: operator.token });
  assert.equal(made.status, 201);
  assert.equal(made.body.user_id, scene.owner.id);
  assert.equal((await scene.api("GET", `/podcast/${made.body.id}`, { token: viewer.token })).status, 200);
  assert.equal((await scene.api("DELETE", `/podcast/${made.body.id}`, { token: viewer.token })).status, 403);
  assert.equal((await scene.api("GET", `/podcast/${made.body.id}`, { token: null })).status, 401);
});

withOwner("[B17] what is pending can be changed: raising is charged, lowering is given back", async (scene) => {
  await fund(scene, 1000);
  const made = await order(scene, { target: 4 });
  const put = async (json: object) => scene.api("PUT", `/podcast/${made.id}`, { json });
  assert.equal(await balance(scene), 800);
  assert.deepEqual((await put({ auction_price: 100, target: 10 })).body.credits, { held: 1000, spent: 0 });
  assert.equal(await balance(scene), 0);
  assert.equal((await put({ target: 11 })).status, 402);
  assert.equal((await read(scene, made)).target, 10, "a refused change changes nothing");
  assert.equal((await put({ auction_price: 101 })).status, 422);
  const changed = (await put({ auction_price: 50, target: 1, name: "B", website: "https://b.example.com", config: { a: 1 } })).body;
  assert.deepEqual([changed.name, changed.website, changed.config, changed.credits.held], ["B", "https://b.example.com", { a: 1 }, 50]);
  assert.equal(await balance(scene), 950);
  assert.equal((await put({ group_id: randomUUID() })).status, 404);
  assert.equal((await put({})).status, 200);
});

withOwner("[B17] of what has begun only name and priority can be changed, and the priority counts at once", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"]);
  const [first, second] = [await running(scene, { group_id }), await running(scene, { group_id })];
  const put = async (json: object) => scene.api("PUT", `/podcast/${second.id}`, { json });
  const changed = (await put({ name: "Urgent", priority: 9, target: second.target, data: second.data })).body;
  assert.deepEqual([changed.name, changed.priority, changed.status], ["Urgent", 9, "running"]);
  for (const json of [{ target: 3 }, { auction_price: 60 }, { website: "https://c.example.com" }, { group_id: null }, { data: {} }]) {
    const answer = await put(json);
    assert.deepEqual([answer.status, answer.body.code], [409, "conflict"], JSON.stringify(json));
  }
  const farm = scene.farm("farm-1");
  const [task] = await farm.pull("?limit=1");
  assert.equal(task?.request_id, second.id);
  await begin(farm);
  for (const { id } of await farm.pull()) if (id === task?.id) await complete(farm, id);
  assert.equal((await put({ target: 1 })).status, 422, "less than what is posted");
  assert.equal((await read(scene, first)).status, "running");
});

withOwner("[B17] deleting gives back what was not posted, and the farm finds nothing any more", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"]);
  const made = await running(scene, { group_id, target: 4 });
  const farm = scene.farm("farm-1");
  const [one, two] = await begin(farm);
  await complete(farm, one?.id ?? "");
  assert.equal(await balance(scene), 800);
  assert.equal((await scene.api("DELETE", `/podcast/${made.id}`)).status, 200);
  assert.equal(await balance(scene), 900);
  assert.equal((await scene.api("GET", `/podcast/${made.id}`)).status, 404);
  assert.equal((await scene.api("DELETE", `/podcast/${made.id}`)).status, 404);
  for (const answer of [await farm.read(two?.id ?? ""), await farm.complete(two?.id ?? "", { link_post: "https://a.example.com/1" })])
    assert.equal(answer.status, 404);
  const { rows } = await scene.store.raw("select action, what from manager.audit where user_id = $1 and action = 'delete'", [
    scene.owner.id,
  ]);
  assert.deepEqual(rows, [{ action: "delete", what: `request ${made.id}` }]);
});

withOwner("[B18] start, stop and restart: reserved, given back, reserved again; a late complete is charged", async (scene) => {
  await fund(scene, 300);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"]);
  const made = await order(scene, { group_id, target: 4 });
  assert.equal((await act(scene, made, "restart")).status, 409, "it was never started");
  const started = await act(scene, made, "start");
  assert.deepEqual([started.body.status, started.body.created_links], ["running", 2]);
  assert.equal(started.body.started_at, new Date(scene.clock.now()).toISOString());
  assert.equal((await act(scene, made, "start")).status, 200, "once more is nothing");
  const farm = scene.farm("farm-1");
  const [one, two] = await begin(farm);
  await complete(farm, one?.id ?? "");
  assert.deepEqual((await read(scene, made)).credits, { held: 200, spent: 100 });
  const stopped = await act(scene, made, "stop");
  assert.deepEqual([stopped.body.status, stopped.body.credits], ["stopped", { held: 100, spent: 100 }]);
  assert.equal(await balance(scene), 200);
  assert.equal((await act(scene, made, "stop")).status, 200);
  assert.equal((await act(scene, made, "start")).status, 409);
  assert.equal(((await farm.read(two?.id ?? "")).body.data as { status: string }).status, "cancel");

  const other = await order(scene, { target: 4 });
  assert.equal(await balance(scene), 0);
  assert.equal((await act(scene, made, "restart")).status, 402);
  assert.equal((await read(scene, made)).status, "stopped", "a refused restart changes nothing");
  await scene.ask("deleteRequest", { params: { type: "podcast", id: other.id } });
  const again = await act(scene, made, "restart");
  assert.deepEqual([again.body.status, again.body.credits], ["running", { held: 200, spent: 100 }]);
  assert.deepEqual((await linksOf(scene, made)).map(({ status }) => status).sort(), ["completed", "running"]);

  await act(scene, made, "stop");
  await order(scene, { target: 4 });
  await complete(farm, two?.id ?? "");
  const late = await read(scene, made);
  assert.deepEqual([late.status, late.result, late.credits], ["stopped", "4 / 4", { held: 200, spent: 200 }]);
  assert.equal(await balance(scene), -100, "what is on its site is charged, whatever is left");
});

withOwner("[B18] what was stopped before its start begins with the restart", async (scene) => {
  await fund(scene, 100);
  const group_id = await groupOn(scene, ["a.example.com"]);
  const made = await order(scene, { group_id });
  assert.deepEqual((await act(scene, made, "stop")).body.credits, { held: 0, spent: 0 });
  assert.equal(await balance(scene), 100);
  const again = await act(scene, made, "restart");
  assert.deepEqual([again.body.status, again.body.created_links, again.body.credits.held], ["running", 1, 100]);
  const farm = scene.farm("farm-1");
  for (const { id } of await begin(farm)) await complete(farm, id);
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result], ["completed", "2 / 2"]);
  assert.equal(ended.completed_at, new Date(scene.clock.now()).toISOString());
  for (const what of ["start", "stop", "restart"] as const) assert.equal((await act(scene, made, what)).status, 409, what);
});

withOwner("[B16] a list is filtered, searched and sorted, and says how many there are", async (scene) => {
  await fund(scene, 100_000);
  const names = ["Tea 100%", "tea_time", "Coffee", "TEAPOT"];
  for (const [index, name] of names.entries()) {
    await order(scene, { name, target: index + 1, website: index === 2 ? "https://tea.example.com" : "" });
    scene.clock.forwardMinutes(1);
  }
  await order(scene, { name: "Tea elsewhere" }, "entity");
  const list = async (query: Record<string, string | number>) => {
    const { data, total } = await scene.ask("listRequests", { params: { type: "podcast" }, query });
    return { names: data.map(({ name }) => name), total };
  };
  assert.deepEqual(await list({}), { names: names.toReversed(), total: 4 });
  assert.deepEqual((await list({ order: "asc" })).names, names);
  assert.deepEqual((await list({ sort: "target", order: "desc" })).names, names.toReversed());
  assert.deepEqual((await list({ sort: "name", order: "asc", limit: 2, page: 2 })).total, 4);
  assert.equal((await list({ search: "tea" })).total, 4, "also in the website");
  assert.deepEqual((await list({ search: "100%" })).names, ["Tea 100%"]);
  assert.deepEqual((await list({ search: "tea_" })).names, ["tea_time"]);
  assert.equal((await list({ search: "%" })).total, 1);
  assert.equal((await list({ status: "pending" })).total, 4);
  assert.equal((await list({ status: "running" })).total, 0);
  assert.deepEqual(await list({ page: 99 }), { names: [], total: 4 });
  const wrong: Record<string, string>[] = [
    { sort: "user_id" },
    { order: "up" },
    { status: "gone" },
    { limit: "x" },
    { page: "x" },
    { search: "\0" },
  ];
  for (const query of wrong) assert.equal((await scene.api("GET", "/podcast", { query })).status, 400, JSON.stringify(query));
  const clamped = await scene.ask("listRequests", { params: { type: "podcast" }, query: { limit: 0, page: -3 } });
  assert.deepEqual([clamped.limit, clamped.page, clamped.data.length], [1, 1, 1]);
  assert.equal((await scene.ask("listRequests", { params: { type: "podcast" }, query: { limit: 5000 } })).limit, 100);
});

withOwner("[B16] the pages of a list are the whole list, however it is sorted", async (scene) => {
  await fund(scene, 1_000_000);
  for (let index = 0; index < 13; index++) await order(scene, { name: `Order ${index % 3}`, target: (index % 2) + 1, priority: index % 4 });
  const sorts = ["created_at", "name", "auction_price", "target", "status", "priority", "started_at", "completed_at"] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...sorts),
      fc.constantFrom("asc", "desc"),
      fc.integer({ min: 1, max: 6 }),
      async (sort, direction, limit) => {
        const ids: string[] = [];
        for (let page = 1; page <= Math.ceil(13 / limit); page++) {
          const { data, total } = await scene.ask("listRequests", {
            params: { type: "podcast" },
            query: { sort, order: direction, limit, page },
          });
          assert.equal(total, 13);
          ids.push(...data.map(({ id }) => id));
        }
        assert.equal(ids.length, 13);
        assert.equal(new Set(ids).size, 13);
      },
    ),
    { numRuns: 25 },
  );
});

withOwner("[B19] many are deleted or exported at once, each for itself", async (scene) => {
  await fund(scene, 1000);
  const [one, two] = [await order(scene, { name: 'Tea, "hot"' }), await order(scene, {}, "entity")];
  const unknown = randomUUID();
  const exported = await scene.ask("exportRequests", { json: { ids: [two.id, unknown, one.id] } });
  assert.deepEqual(exported, { requests: [two, one] });
  const csv = await scene.api("POST", "/requests/export", { json: { ids: [one.id] }, query: { format: "csv" } });
  const [head, row] = csv.text.split("\r\n");
  assert.match(head ?? "", /^id,service_type,type_request,group_id,name,website,auction_price,target,created_links,result,status/);
  assert.match(row ?? "", /"Tea, ""hot""",,50,2,0,0 \/ 2,pending/);
  const { results } = await scene.ask("deleteRequests", { json: { ids: [one.id, unknown, "17", two.id, one.id] } });
  assert.deepEqual(
    results.map(({ ok }) => ok),
    [true, false, false, true, true],
    "one that comes twice is gone all the same",
  );
  assert.match(results[1]?.message ?? "", /nothing/);
  assert.equal(await balance(scene), 1000);
  for (const ids of [[], Array.from({ length: 1001 }, () => unknown)])
    assert.ok([400, 422].includes((await scene.api("POST", "/requests/bulk-delete", { json: { ids } })).status));
});

withOwner("[B15] [B18] whatever happens in whatever order, the ledger and the counters are true", async (scene) => {
  const group_id = await groupOn(scene, ["a.example.com", "a.example.com", "b.example.com"]);
  const granted = 700;
  await fund(scene, granted);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ step: fc.constantFrom(...steps), pick: fc.nat({ max: 5 }) }), { minLength: 8, maxLength: 20 }),
      async (moves) => {
        const world = await openWorld(scene, group_id);
        for (const { step, pick } of moves) await world.take(step, pick);
        await world.check();
        await world.clear();
      },
    ),
    { numRuns: 8 },
  );
});

withOwner("[B17] [B18] farms and people at once break nothing, and the ledger is true afterwards", async (scene) => {
  const group_id = await groupOn(scene, ["a.example.com", "a.example.com", "b.example.com", "c.example.com"]);
  await fund(scene, 3000);
  const world = await openWorld(scene, group_id);
  const made: ShownRequest[] = [];
  for (let count = 0; count < 5; count++) made.push(await running(scene, { group_id, target: 6 }));
  const farm = scene.farm("farm-1");
  for (let round = 0; round < 2; round++) {
    const tasks = await begin(farm);
    const people = made.flatMap(({ id }) => [
      scene.api("POST", `/podcast/${id}/stop`),
      scene.api("POST", `/podcast/${id}/links/retry-all`),
      scene.api("POST", `/podcast/${id}/restart`),
      scene.api("PUT", `/podcast/${id}`, { json: { priority: round + 1 } }),
      scene.api("GET", `/podcast/${id}/links`),
      scene.api("GET", "/stats"),
    ]);
    const farms = tasks.flatMap(({ id }, index) => [
      index % 2 === 0
        ? farm.complete(id, { link_post: `https://a.example.com/${id}` })
        : farm.fail(id, { error_message: "closed", retry: false }),
      scene.farm("farm-2").pull("?limit=3"),
    ]);
    const [victim = made[0]] = made.slice(round);
    const links = victim ? await linksOf(scene, victim) : [];
    const deletions = links.slice(0, 1).map(async ({ id }) => scene.api("DELETE", `/podcast/${victim?.id}/links/${id}`));
    for (const answer of await Promise.all([...people, ...farms, ...deletions]))
      if ("status" in answer) assert.ok(answer.status < 500, JSON.stringify(answer.body));
    await world.check();
  }
});

/** The requests of one sequence. What ended with a request that was deleted is paid all the same. */
async function openWorld(scene: OwnerScene, group_id: string) {
  const farm = scene.farm(`farm-${randomUUID().slice(0, 6)}`);
  const before = await balance(scene);
  const started = new Set<string>();
  let spentOnDeleted = 0;
  const list = async () => (await scene.ask("listProjects", { query: { limit: 100 } })).data;
  const pick = async (index: number) => {
    const all = await list();
    return all.length === 0 ? null : (all[index % all.length] ?? null);
  };
  const someLink = async (index: number, status: string) => {
    for (const { id, type } of await list()) {
      const links = (await linksOf(scene, { id, service_type: type })).filter((link) => link.status === status);
      if (links.length > 0) return { request: { id, type }, link: links[index % links.length] };
    }
    return null;
  };
  const remove = async (id: string): Promise<void> => {
    spentOnDeleted += (await read(scene, { id, service_type: "podcast" })).credits.spent;
    await scene.ask("deleteRequest", { params: { type: "podcast", id } });
  };

  async function take(step: (typeof steps)[number], index: number): Promise<void> {
    const money = await balance(scene);
    const request = await pick(index);
    if (step === "create") {
      const json = { group_id, name: "Order", auction_price: PRICE, target: index + 1, data: { episodes: episodes(2) } };
      const { status } = await scene.api("POST", "/podcast", { json });
      assert.equal(status, money >= PRICE * (index + 1) ? 201 : 402);
    } else if (step === "complete" || step === "fail") {
      for (const { id } of (await begin(farm)).slice(0, 1)) {
        started.add(id);
        if (step === "complete") await complete(farm, id);
        else await failForGood(farm, id);
      }
    } else if (step === "late complete") {
      for (const id of [...started].slice(0, 2)) await farm.complete(id, { link_post: `https://a.example.com/${id}` });
    } else if (step === "retry") {
      const failed = await someLink(index, "failed");
      if (failed) await scene.api("POST", `/podcast/${failed.request.id}/links/${failed.link?.id}/retry`);
    } else if (step === "delete link") {
      const gone = await someLink(index, index % 2 === 0 ? "completed" : "queued");
      if (gone) assert.equal((await scene.api("DELETE", `/podcast/${gone.request.id}/links/${gone.link?.id}`)).status, 200);
    } else if (request) {
      if (step === "delete") await remove(request.id);
      else await scene.api("POST", `/podcast/${request.id}/${step === "retry all" ? "links/retry-all" : step}`);
    }
    const reserves = step !== "late complete" && step !== "complete";
    if (reserves && money >= 0) assert.ok((await balance(scene)) >= 0, `${step} took more than there was`);
    await check();
  }

  async function check(): Promise<void> {
    let held = 0;
    const counted: Record<string, number> = {};
    for (const { id, target } of await list()) {
      const shown = await read(scene, { id, service_type: "podcast" });
      const links = await linksOf(scene, shown);
      const units = shown.credits.spent / PRICE;
      assert.equal(shown.result, `${units} / ${target}`);
      assert.equal(shown.created_links, links.length);
      const goesOn = shown.status === "pending" || shown.status === "running";
      assert.equal(shown.credits.held, PRICE * (goesOn ? target : units), shown.status);
      const open = links.some(({ kind, status }) => kind === "primary" && ["pending", "queued", "running"].includes(status));
      if (shown.status === "running") assert.ok(open && units < target, "what runs has something to do");
      held += shown.credits.held;
      for (const { status } of links) counted[status] = (counted[status] ?? 0) + 1;
    }
    assert.equal(await balance(scene), before - held - spentOnDeleted);
    const { data } = await scene.ask("readStats");
    assert.deepEqual(Object.fromEntries(Object.entries(data.links).filter(([, count]) => count > 0)), counted);
  }

  return {
    take,
    check,
    async clear() {
      for (const { id } of await list()) await remove(id);
      if (spentOnDeleted > 0) await fund(scene, spentOnDeleted);
    },
  };
}
