import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { MAX_PAGE_SIZE } from "../../src/contract/api-route.ts";
import { serviceTypes } from "../../src/contract/backlink-api.ts";
import { jsonSchema, type JsonSchema } from "../../src/kit/api/json-schema.ts";
import { sections } from "../../src/manager/api/sections.ts";
import type { ApiAnswer } from "./content/support.ts";
import { everyRoute, withEveryRoute, type EveryRouteScene, type NamedRoute } from "./every-route.ts";

const nowhere = { id: randomUUID(), linkId: randomUUID(), type: "podcast", filename: "a.png" };
const said = ({ status, body }: ApiAnswer): [number, unknown] => [status, body.code];
const MIB = 1024 * 1024;
const withQuery = everyRoute.filter(({ query }) => query);
const withBody = everyRoute.filter(({ body }) => body);

/** Whoever signs in for the eleventh time in a minute is told to wait. */
function passTime({ clock }: EveryRouteScene, { section }: NamedRoute): void {
  if (section === "Sign-in") clock.forwardMinutes(0.5);
}

async function refused(scene: EveryRouteScene, route: NamedRoute, expected: [number, string], what: string, answer: Promise<ApiAnswer>) {
  assert.deepEqual(said(await answer), expected, `${route.name}: ${what}`);
  passTime(scene, route);
}

withEveryRoute("[every route] without credentials, or with bad ones, nothing else is looked at", async (scene) => {
  const calls = everyRoute.filter(({ needs }) => needs !== "open");
  // One of each API: it is the same hook.
  const tooLarge = new Set(sections.map(({ title }) => withBody.find(({ section, needs }) => section === title && needs !== "open")));
  for (const route of calls) {
    for (const params of [nowhere, { ...nowhere, id: "no-uuid", linkId: "no-uuid", type: "nothing" }])
      for (const body of [undefined, "{broken", ...(tooLarge.has(route) ? [`"${"x".repeat(MIB)}"`] : [])]) {
        if (route.method === "GET" && body) continue;
        const send = async (as: Record<string, string>) =>
          scene.send(route, { params, query: { page: "x" } }, { as, ...(body ? { body } : { json: undefined }) });
        const none = await send({});
        assert.deepEqual([none.status, none.body.success], [401, false], route.name);
        assert.match(none.body.code, route.needs === "worker" ? /^NO_API_KEY$/ : /^NO_(TOKEN|API_KEY)$/, route.name);
        if (route.needs !== "worker") assert.deepEqual(said(await send({ authorization: "Bearer x" })), [401, "invalid_token"], route.name);
        if (route.needs === "worker" || route.needs.startsWith("content"))
          assert.deepEqual(said(await send({ "x-api-key": "pck_wrong" })), [401, "INVALID_API_KEY"], route.name);
      }
  }
});

withEveryRoute("[every route] whose scope or role is not enough is told so, before anything else is looked at", async (scene) => {
  const [viewer, operator] = [(await scene.addUser("viewer")).as, (await scene.addUser("operator")).as];
  const [reader, worker] = [await scene.addKey(["content:read"]), await scene.addKey(["worker"])];
  const enough = {
    open: [],
    viewer: [viewer, operator],
    operator: [operator],
    owner: [],
    "content:read": [viewer, operator, reader],
    "content:write": [operator],
    worker: [worker],
  } as const;
  for (const route of everyRoute) {
    if (route.needs === "open") continue;
    for (const as of [viewer, operator, reader, worker]) {
      const { status, body } = await scene.send(
        route,
        { params: { ...nowhere, id: "no-uuid" } },
        { as, ...(route.method !== "GET" && { body: "{broken" }) },
      );
      const may = (enough[route.needs] as readonly unknown[]).includes(as);
      const known = "authorization" in as ? route.needs !== "worker" : route.needs === "worker" || route.needs.startsWith("content");
      const allowed = may ? [400, 404] : [known ? 403 : 401];
      assert.ok(allowed.includes(status) || (may && route.method === "GET"), `${route.name}: ${status} ${JSON.stringify(body)}`);
    }
  }
});

withEveryRoute("[every id] what is unknown, foreign or no UUID is 404", async (scene) => {
  for (const route of everyRoute) {
    const names = [...route.path.matchAll(/:(\w*id)\b/gi)].map(([, name = ""]) => name);
    if (names.length === 0) continue;
    const call = await scene.valid(route);
    for (const name of names)
      for (const id of [randomUUID(), "no-uuid", "17", "%00", "null"]) {
        const { status, body } = await scene.send(route, { ...call, params: { ...call.params, [name]: id } });
        assert.deepEqual([status, body.success], [404, false], `${route.name} with ${name} ${id}: ${JSON.stringify(body)}`);
      }
    // A key of a farm sees everybody's work, and files are for whoever knows their address.
    if (route.needs === "worker" || route.needs === "open") continue;
    assert.equal((await scene.send(route, call, { as: scene.stranger })).status, 404, `${route.name} of another owner`);
    assert.ok((await scene.send(route, call)).status < 300, `${route.name} is still there for its owner`);
  }
});

withEveryRoute("[every list] page and limit are 1 and 20, the nearest that is possible, or no number and refused", async (scene) => {
  const lists = withQuery.filter(({ query }) => query?.shape["page"]);
  assert.ok(lists.length > 7);
  for (const route of lists) {
    const call = await scene.valid(route);
    const ask = async (query: Record<string, string>) => scene.send(route, { ...call, query });
    for (const [query, page, limit] of [
      [{}, 1, 20],
      [{ page: "", limit: "" }, 1, 20],
      [{ page: "0", limit: "0" }, 1, 1],
      [{ page: "-7", limit: "-7" }, 1, 1],
      [{ page: "2.9", limit: "2.9" }, 2, 2],
      [{ page: "1e300", limit: "5000" }, 1_000_000_000, MAX_PAGE_SIZE],
    ] as const) {
      const { status, body } = await ask(query);
      assert.deepEqual([status, body.page, body.limit], [200, page, limit], `${route.name} ${JSON.stringify(query)}`);
      assert.ok(body.data.length <= limit && body.data.length <= body.total, route.name);
      if (page > body.total) assert.deepEqual(body.data, [], `${route.name} beyond its end`);
    }
    for (const name of ["page", "limit"])
      for (const wrong of ["x", "5x", "NaN", "Infinity", "1,5"])
        assert.deepEqual(said(await ask({ [name]: wrong })), [400, "validation"], `${route.name} ${name}=${wrong}`);
  }
});

/** Words that may be anything. */
const free = ["search", "type_request", "tag"];

withEveryRoute("[every list] sort, order, filters and formats are of a list, any other word is 400; none is any", async (scene) => {
  for (const route of withQuery) {
    const call = await scene.valid(route);
    for (const name of Object.keys(route.query?.shape ?? {})) {
      const ask = async (value: string) => scene.send(route, { ...call, query: { ...call.query, [name]: value } });
      assert.equal((await ask("")).status, 200, `${route.name} ${name} blank`);
      const other = await ask("no-such-word");
      const expected = free.includes(name) ? [200, undefined] : [400, "validation"];
      assert.deepEqual(said(other), expected, `${route.name} ${name}=no-such-word`);
      if (!free.includes(name)) assert.ok(other.body.message.includes(name), `${route.name}: the refusal names ${name}`);
      assert.equal((await ask("a\0b")).status, 400, `${route.name} ${name} with a NUL`);
      assert.ok([400, 422].includes((await ask("x".repeat(3000))).status), `${route.name} ${name} too long`);
      const twice = { ...call, params: call.params ?? {} };
      const path = { ...route, path: `${route.path}?${name}=1&${name}=2` };
      assert.equal((await scene.send(path, { params: twice.params })).status, 400, `${route.name} ${name} twice`);
    }
  }
});

withEveryRoute("[every list] each column sorts, up and down, and no row comes twice", async (scene) => {
  for (const route of withQuery.filter(({ query }) => query?.shape["sort"])) {
    const call = await scene.valid(route);
    for (let more = 0; more < 3; more++) await scene.valid(route);
    const columns = jsonSchema(route.query!, "input").properties?.["sort"]?.description?.split(" | ") ?? [];
    assert.ok(columns.length > 3, route.name);
    for (const sort of columns)
      for (const order of ["asc", "desc"]) {
        const seen: { id: string }[] = [];
        let total = 1;
        for (let page = 1; seen.length < total; page++) {
          const { status, body } = await scene.send(route, { ...call, query: { sort, order, limit: "1", page: String(page) } });
          assert.deepEqual([status, body.data.length], [200, 1], `${route.name} ${sort} ${order} page ${page}`);
          seen.push(...body.data);
          total = body.total;
        }
        assert.equal(new Set(seen.map(({ id }) => id)).size, total, `${route.name} ${sort} ${order}`);
      }
  }
});

withEveryRoute("[every body] what is no JSON, holds a NUL, is no object or lacks what is needed is 400", async (scene) => {
  for (const route of withBody) {
    const call = await scene.valid(route);
    const send = async (body: string) => scene.send(route, call, { body });
    const check = async (body: string, code: string) => refused(scene, route, [400, code], body.slice(0, 60), send(body));
    for (const broken of ["{broken", "{", "'x'", "\u0001", "{}{}"]) await check(broken, "malformed_json");
    for (const nul of ['{"x":"\\u0000"}', '{"\\u0000":1}', '{"x":"\0"}']) await check(nul, "nul_character");
    for (const none of ['"text"', "5", "true", "[[]]"]) await check(none, "validation");
    await check("[]", route.name === "account" ? "empty_body" : "validation");
    const { required = [] } = jsonSchema(route.body!, "input");
    if (required.length > 0) for (const none of ["{}", "", "null"]) await check(none, "validation");
    for (const name of required) {
      const { [name]: _left, ...rest } = call.body ?? {};
      await refused(scene, route, [400, "validation"], `without ${name}`, scene.send(route, call, { json: rest }));
    }
  }
});

const isAny = (schema: JsonSchema): boolean => !schema.type && !schema.anyOf && !schema.enum && schema.const === undefined;
const takesObjects = (schema: JsonSchema): boolean => schema.type === "object" || (schema.anyOf ?? []).some(takesObjects);

withEveryRoute("[every body] a field of the wrong type is 400, and the refusal names it but not its value", async (scene) => {
  for (const route of withBody) {
    const call = await scene.valid(route);
    for (const [name, schema] of Object.entries(jsonSchema(route.body!, "input").properties ?? {})) {
      if (isAny(schema)) continue;
      const wrong = takesObjects(schema) ? "demo-secret" : { wrong: "demo-secret" };
      const answer = await scene.send(route, call, { json: { ...call.body, [name]: wrong } });
      assert.deepEqual(said(answer), [400, "validation"], `${route.name} ${name}: ${JSON.stringify(answer.body)}`);
      assert.ok(answer.body.message.includes(name), `${route.name} ${name}: ${answer.body.message}`);
      assert.ok(!answer.body.message.includes("demo-secret"), answer.body.message);
      passTime(scene, route);
    }
  }
});

withEveryRoute("[every body] fields that nobody knows change nothing, and half a character is no 500", async (scene) => {
  for (const route of withBody) {
    const call = await scene.valid(route);
    const { status, body } = await scene.send(route, call, { json: { ...call.body, no_such_field: { deep: [1] }, has_password: true } });
    assert.ok(status < 300, `${route.name}: ${status} ${JSON.stringify(body)}`);
    for (const name of Object.keys(jsonSchema(route.body!, "input").properties ?? {})) {
      const answer = await scene.send(route, call, { body: `{${JSON.stringify(name)}:"\\ud800"}` });
      assert.ok(answer.status < 500, `${route.name} ${name}: ${JSON.stringify(answer.body)}`);
      passTime(scene, route);
    }
  }
});

withEveryRoute("[every body] over 1 MiB, and over 32 MiB of an import, is 413", async (scene) => {
  assert.deepEqual(
    withBody.filter(({ bodyLimitBytes }) => bodyLimitBytes).map(({ name, bodyLimitBytes = 0 }) => [name, bodyLimitBytes / MIB]),
    [
      ["createGroup", 32],
      ["importGroup", 32],
      ["importAccounts", 32],
    ],
  );
  for (const route of withBody) {
    const call = await scene.valid(route);
    const json = JSON.stringify(call.body);
    const limit = route.bodyLimitBytes ?? MIB;
    const full = await scene.send(route, call, { body: json + " ".repeat(limit - json.length) });
    assert.ok(full.status < 300, `${route.name}: as much as may be is ${full.status}`);
    const over = await scene.send(route, call, { body: json + " ".repeat(limit + 1 - json.length) });
    assert.deepEqual(said(over), [413, "body_too_large"], route.name);
  }
});

withEveryRoute("[every body] ids are 1 to 1000, and names are trimmed and have 1 to 200 characters", async (scene) => {
  for (const route of withBody) {
    const names = Object.keys(jsonSchema(route.body!, "input").properties ?? {});
    const status = async (json: object): Promise<number> => {
      const call = await scene.valid(route);
      return (await scene.send(route, call, { json: { ...call.body, ...json } })).status;
    };
    const ids = (howMany: number) => ({ ids: Array.from({ length: howMany }, () => randomUUID()) });
    if (names.includes("ids")) assert.deepEqual([await status(ids(0)), await status(ids(1000)), await status(ids(1001))], [422, 200, 422]);
    for (const name of names.filter((one) => one === "name" || one === "title")) {
      for (const wrong of ["", "  ", "x".repeat(201)]) assert.equal(await status({ [name]: wrong }), 422, `${route.name} ${name}`);
      const call = await scene.valid(route);
      const { status: fine, body } = await scene.send(route, call, { json: { ...call.body, [name]: ` ${"x".repeat(200)} ` } });
      assert.equal(fine, route.status ?? 200, route.name);
      assert.equal((body.group ?? body.content ?? body)[name], "x".repeat(200), `${route.name} ${name}`);
    }
  }
});

withEveryRoute("[every type] there are six; of another there is nothing", async (scene) => {
  const routes = everyRoute.filter(({ path }) => path.includes(":type"));
  assert.ok(routes.length > 10);
  for (const route of routes) {
    const call = await scene.valid(route);
    for (const type of ["poetry", "Podcast", "podcasts", "%00", "constructor"]) {
      const { status, body } = await scene.send(route, { ...call, params: { ...call.params, type } });
      assert.deepEqual([status, body.success], [404, false], `${route.name} of ${type}: ${JSON.stringify(body)}`);
    }
    if (route.path.includes(":id")) continue;
    for (const type of serviceTypes) {
      const { status } = await scene.send(route, { ...call, params: { type }, body: call.body && { ...call.body, target: 1 } });
      assert.equal(status, route.status ?? 200, `${route.name} of ${type}`);
    }
  }
});

withEveryRoute("[every route] an address that is nobody's, and a method that an address has not, are a JSON 404", async (scene) => {
  const { as } = scene.owner;
  const key = { "x-api-key": scene.apiKey };
  for (const [path, who] of [
    ["/backlink", as],
    ["/backlink/", as],
    ["/backlink/podcast/stats/more/and/more", as],
    ["/auth/nothing", as],
    ["/content/no/such/address", as],
    ["/podcast/nothing", key],
  ] as const) {
    const { status, body } = await scene.api("GET", path, { as: who });
    assert.deepEqual([status, body.success, body.code], [404, false, "not_found"], path);
  }
  for (const [method, path, who] of [
    ["PATCH", "/backlink/groups", as],
    ["DELETE", "/backlink/projects", as],
    ["PUT", "/podcast/links", key],
  ] as const)
    assert.equal((await scene.api(method, path, { as: who })).status, 404, `${method} ${path}`);
});
