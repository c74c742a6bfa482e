import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { serviceTypes } from "../../src/contract/backlink-api.ts";
import { withOwner, type ApiOptions, type OwnerScene } from "./backlink-support.ts";
import { fund, order } from "./given-requests.ts";

const tooMuch = `{"name":"${"x".repeat(1024 * 1024)}"}`;
/** None of them can be taken. */
const bodies: ApiOptions[] = [
  {},
  { body: "{broken" },
  { body: tooMuch },
  { json: [] },
  { json: { name: 5 } },
  { body: '{"name":"\\u0000"}' },
];

withOwner("[B15] who calls comes first, then the address, then the body", async (scene) => {
  const id = randomUUID();
  const viewer = await scene.addUser("viewer");
  const addresses: [string, string][] = [
    ["POST", "/nothing"],
    ["POST", "/Podcast"],
    ["POST", "/%00"],
    ["PUT", `/nothing/${id}`],
    ["PUT", "/podcast/17"],
    ["PUT", "/podcast/%00"],
    ["POST", `/nothing/${id}/start`],
    ["POST", "/entity/17/links/retry-all"],
    ["POST", `/entity/${id}/links/17/retry`],
    ["PUT", "/groups/17"],
    ["POST", "/groups/17/accounts"],
    ["POST", "/groups/17/accounts/import"],
    ["PUT", "/accounts/17"],
  ];
  for (const [method, path] of addresses)
    for (const options of bodies) {
      const what = `${method} ${path} ${JSON.stringify(options).slice(0, 40)}`;
      const none = await scene.api(method, path, { ...options, token: null });
      assert.deepEqual([none.status, none.body.code], [401, "NO_TOKEN"], what);
      assert.equal((await scene.api(method, path, { ...options, token: viewer.token })).status, 403, what);
      const answer = await scene.api(method, path, options);
      assert.deepEqual([answer.status, answer.body.success, answer.body.code], [404, false, "not_found"], what);
    }
  for (const path of ["/nothing", "/nothing/stats", `/nothing/${id}`, `/nothing/${id}/links`, `/nothing/${id}/links/export`])
    assert.equal((await scene.api("GET", path, { query: { limit: "x" } })).status, 404, path);
  for (const options of bodies.slice(1)) {
    const { status } = await scene.api("POST", "/podcast", options);
    assert.equal(status, options.body === tooMuch ? 413 : 400, JSON.stringify(options).slice(0, 40));
  }
});

withOwner("[B15] texts are kept as they are or refused: half characters and long words are 422, what is no text 400", async (scene) => {
  await fund(scene, 1_000_000);
  const half = "\ud800";
  const kept = { name: "Trà 🍵 \\u0000 \\ %_'\"", website: "https://Target.example.com/a b?x=%00#y", type_request: "bình thường " };
  const made = await order(scene, { ...kept, data: { note: "\u2028\u{1f375}" } }, "entity");
  assert.deepEqual(
    [made.name, made.website, made.type_request, made.data],
    [kept.name, kept.website, kept.type_request, { note: "\u2028\u{1f375}" }],
  );
  const both = async (json: object): Promise<number[]> => {
    const whole = { name: "x", auction_price: 1, ...json };
    return [(await scene.api("POST", "/entity", { json: whole })).status, (await scene.api("PUT", `/entity/${made.id}`, { json })).status];
  };
  for (const json of [
    { name: `x${half}` },
    { name: " " },
    { name: "x".repeat(201) },
    { type_request: half },
    { type_request: "x".repeat(101) },
    { website: `https://a.example.com/${half}` },
    { website: "ftp://a.example.com" },
    { website: `https://a.example.com/${"x".repeat(2000)}` },
    { data: { [half]: 1 } },
    { data: { content_ids: ["17"] } },
    { priority: 1001 },
    { auction_price: 0 },
    { auction_price: 1_000_001 },
    { target: 1_000_001 },
  ])
    assert.deepEqual(await both(json), [422, 422], JSON.stringify(json).slice(0, 60));
  for (const json of [
    { name: null },
    { type_request: null },
    { type_request: 5 },
    { website: 5 },
    { priority: "5" },
    { auction_price: "1" },
    { target: null },
    { config: [] },
    { data: "{}" },
    { folder_urls: 5 },
    { group_id: 5 },
  ])
    assert.deepEqual(await both(json), [400, 400], JSON.stringify(json));
  for (const group_id of ["17", half, randomUUID()]) assert.deepEqual(await both({ group_id }), [404, 404]);
  const named = await order(scene, { name: `  ${"n".repeat(200)}\t`, auction_price: 1 }, "entity");
  assert.equal(named.name, "n".repeat(200));
});

withOwner("[B2] [B4] a group's name is trimmed and 1 to 200 characters; the rest of the rules", async (scene) => {
  const { group_id } = {
    group_id: (await scene.ask("createGroup", { json: { name: " Tea ", service_type: "blog20" } })) as { id: string; name: string },
  };
  assert.equal(group_id.name, "Tea");
  const both = async (json: object): Promise<number[]> => [
    (await scene.api("POST", "/groups", { json: { name: "x", service_type: "entity", ...json } })).status,
    (await scene.api("PUT", `/groups/${group_id.id}`, { json })).status,
  ];
  for (const name of ["", " \t", "x".repeat(201), "\udfff"]) assert.deepEqual(await both({ name }), [422, 422], JSON.stringify(name));
  for (const name of [5, null, {}]) assert.deepEqual(await both({ name }), [400, 400], JSON.stringify(name));
  for (const service_type of serviceTypes) assert.equal((await both({ service_type }))[0], 201);
});

withOwner("[B2] [B6] [B9] an import may have 32 MiB, and not more; all other bodies 1 MiB", async (scene) => {
  const { id } = (await scene.ask("createGroup", { json: { name: "Tea", service_type: "entity" } })) as { id: string };
  const note = "x".repeat(90_000);
  const rows = (count: number) => Array.from({ length: count }, (_, at) => ({ website: "a.example.com", username: `user-${at}`, note }));
  const sized = (count: number) => ({ name: "Tea", service_type: "entity", accounts: rows(count) });
  for (const path of ["/groups", "/groups/import", `/groups/${id}/accounts/import`]) {
    assert.ok((await scene.api("POST", path, { json: sized(20) })).status < 300, path);
    const large = await scene.api("POST", path, { json: sized(380) });
    assert.deepEqual([large.status, large.body.code], [413, "body_too_large"], path);
  }
  for (const [method, path] of [
    ["POST", "/entity"],
    ["PUT", `/groups/${id}`],
    ["POST", `/groups/${id}/accounts`],
    ["POST", "/accounts/bulk-delete"],
    ["POST", "/requests/bulk-delete"],
  ] as const)
    assert.equal((await scene.api(method, path, { body: tooMuch })).status, 413, path);
});

/** Those of the ids that were the caller's are gone, each once; one that comes twice is answered twice. */
async function deleteMany(scene: OwnerScene, path: string, { mine, foreign }: { mine: string[]; foreign: string }) {
  const [first = "", second = ""] = mine;
  const ids = [first, foreign, randomUUID(), "17", "", first.toUpperCase(), second];
  const { status, body } = await scene.api("POST", path, { json: { ids } });
  assert.equal(status, 200);
  const results = body.results as { id: string; ok: boolean; message?: string }[];
  assert.deepEqual(
    results.map(({ id, ok, message }) => [id, ok, message !== undefined]),
    ids.map((id) => [id, mine.includes(id.toLowerCase()), !mine.includes(id.toLowerCase())]),
  );
  for (const wrong of [{}, { ids: "x" }, { ids: [5] }, { ids: null }])
    assert.equal((await scene.api("POST", path, { json: wrong })).status, 400, JSON.stringify(wrong));
  assert.equal((await scene.api("POST", path, { json: { ids: [] } })).status, 422);
  assert.equal((await scene.api("POST", path, { json: { ids: Array.from({ length: 1001 }, () => first) } })).status, 422);
  const many = await scene.api("POST", path, { json: { ids: Array.from({ length: 1000 }, () => first) } });
  assert.deepEqual([many.status, many.body.results.length, many.body.results.some(({ ok }: { ok: boolean }) => ok)], [200, 1000, false]);
}

withOwner(
  "[B13] [B19] [owned] many at once: each id has its answer, what is another's is not found and stays, and the audit log knows",
  async (scene) => {
    await fund(scene, 1000);
    const stranger = await scene.addUser("owner");
    await scene.manager.addCredits({ email: stranger.email, amount: 100 });
    const json = { name: "x", auction_price: 1, target: 1 };
    const foreign = (await scene.api("POST", "/entity", { json, token: stranger.token })).body.id as string;
    const [one, two] = [await order(scene, {}, "entity"), await order(scene, {}, "stacking")];
    await deleteMany(scene, "/requests/bulk-delete", { mine: [one.id, two.id], foreign });
    assert.equal((await scene.api("GET", `/entity/${foreign}`, { token: stranger.token })).status, 200);

    const accounts = [1, 2].map((at) => ({ website: "a.example.com", username: `user-${at}` }));
    const groups = await Promise.all(
      [scene.owner, stranger].map(async ({ token }) => {
        const { body } = await scene.api("POST", "/groups", { token, json: { name: "Tea", service_type: "entity", accounts } });
        const { body: list } = await scene.api("GET", `/groups/${body.group.id}/accounts`, { token });
        return (list.data as { id: string }[]).map(({ id }) => id);
      }),
    );
    const [mine = [], theirs = []] = groups;
    await deleteMany(scene, "/accounts/bulk-delete", { mine, foreign: theirs[0] ?? "" });
    assert.equal((await scene.api("GET", `/accounts/${theirs[0]}`, { token: stranger.token })).status, 200);
    const { rows } = await scene.store.raw("select user_id, what, how_many from manager.audit where action = 'delete' order by id");
    const words = rows as { user_id: string; what: string; how_many: number }[];
    assert.deepEqual([...new Set(words.map(({ user_id }) => user_id))], [scene.owner.id]);
    assert.deepEqual(
      words.slice(0, 2).map(({ what }) => what),
      [`request ${one.id}`, `request ${two.id}`],
    );
    assert.deepEqual([words.length, words[2]?.how_many], [3, 2]);
    for (const id of mine) assert.ok(words[2]?.what.includes(id));
  },
);
