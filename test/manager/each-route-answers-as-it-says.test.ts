import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { createClient } from "../../src/kit/api-client.ts";
import { everyRoute, pathOf, withEveryRoute, type EveryRouteScene, type NamedRoute } from "./every-route.ts";
import type { ValidCall } from "./valid-calls.ts";

type Schema = Parameters<typeof z.fromJSONSchema>[0];

interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { content: Record<string, { schema?: Schema }> }> }>>;
  components: { schemas: { Refusal: Schema } };
}

interface Answered {
  status: number;
  body: unknown;
}

async function readDocument({ keeper }: EveryRouteScene): Promise<Document> {
  return (await (await fetch(`${keeper.url}/openapi.json`)).json()) as Document;
}

/** What the document says about a route's answers. */
function answersOf(document: Document, route: NamedRoute) {
  const path = (route.prefix + route.path).replaceAll(/:(\w+)/g, "{$1}");
  const { responses } = document.paths[path]?.[route.method.toLowerCase()] ?? {};
  assert.ok(responses, `${route.method} ${path} is not in the document`);
  return responses;
}

function checkAnswer(document: Document, route: NamedRoute, { status, body }: Answered): void {
  const said = answersOf(document, route)[status];
  assert.ok(said, `${route.name} answers ${status}, and the document does not say so: ${JSON.stringify(body)}`);
  if (route.file === "answered") return;
  const schema = said.content["application/json"]?.schema;
  assert.ok(schema, `${route.name} has no schema`);
  const { error } = z.fromJSONSchema(schema).safeParse(body);
  assert.ok(!error, `${route.name} answers something else than the document says: ${error && z.prettifyError(error)}`);
}

function checkRefusal(document: Document, route: NamedRoute, { status, body }: Answered, expected: number): void {
  assert.equal(status, expected, `${route.name}: ${JSON.stringify(body)}`);
  assert.ok(answersOf(document, route)["default"], `${route.name}: refusals are in the document`);
  assert.deepEqual(z.fromJSONSchema(document.components.schemas.Refusal).parse(body), body, route.name);
  assert.deepEqual(Object.keys(body as object).sort(), ["code", "message", "success"], route.name);
}

withEveryRoute("[every route] answers a valid call as the document says, and a call of nothing with a refusal", async (scene) => {
  const document = await readDocument(scene);
  const operations = Object.values(document.paths).flatMap((methods) => Object.keys(methods));
  assert.equal(operations.length, everyRoute.length, "the document has the routes of the tables and no others");
  for (const route of everyRoute) {
    const call = await scene.valid(route);
    checkAnswer(document, route, await scene.send(route, call));
    if (route.needs !== "open") checkRefusal(document, route, await scene.send(route, call, { as: {} }), 401);
    if (!call.params?.["id"]) continue;
    const nowhere = { ...call, params: { ...call.params, id: randomUUID() } };
    checkRefusal(document, route, await scene.send(route, nowhere), 404);
  }
});

/** The client's calls by their names. */
type Calls = Record<string, (sent: ValidCall) => Promise<unknown>>;

withEveryRoute("[every route] is a call of the client, which gives what the document says", async (scene) => {
  const document = await readDocument(scene);
  const [email, password] = ["client@example.com", randomUUID()];
  const { id } = await scene.keeper.users.create({ email, password, role: "owner" });
  await scene.keeper.addCredits({ email, amount: 1_000_000 });
  let last: Answered & { address: string } = { status: 0, body: null, address: "" };
  const client = createClient({
    url: scene.keeper.url,
    email,
    password,
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      const text = await response.clone().text();
      last = { status: response.status, body: JSON.parse(text), address: new URL(input instanceof Request ? input.url : input).pathname };
      return response;
    },
  });
  const calls: Calls = Object.assign({}, ...(Object.values(client) as object[])) as Calls;
  const { token } = await client.auth.login({ body: { email, password } });
  assert.ok(id);
  let called = 0;
  for (const route of everyRoute) {
    const call = route.needs === "worker" ? undefined : calls[route.name];
    if (!call) continue;
    const valid = await scene.valid(route, { authorization: `Bearer ${token}` });
    await call(valid);
    assert.equal(last.address, pathOf(route, valid.params));
    checkAnswer(document, route, last);
    called += 1;
    if (!valid.params?.["id"]) continue;
    await assert.rejects(call({ ...valid, params: { ...valid.params, id: randomUUID() } }), { name: "ApiRefusal", code: "not_found" });
    checkRefusal(document, route, last, 404);
  }
  const others = everyRoute.filter(({ needs, file }) => needs === "worker" || file).length;
  assert.equal(called, everyRoute.length - others, "all but files and what only farms call");
});
