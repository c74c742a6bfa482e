import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { podopsRoutes, podopsScopes, type PodopsRoute } from "../../../src/contract/podops-api.ts";
import { ApiRefusal } from "../../../src/kit/api-client.ts";
import { createPodopsClient, problemsOf } from "../../../src/kit/podops-client.ts";
import { fieldsOf } from "../../support/promised/fields.ts";
import { wav } from "../support.ts";
import { withPodops } from "./support.ts";

const routes = Object.entries<PodopsRoute>(podopsRoutes);

withPodops("[P1] the root says the version to programs, and leads people to the studio's page", async ({ call, studio }) => {
  const { status, body } = await call("GET", "/", { token: "" });
  assert.deepEqual([status, Object.keys(body).sort()], [200, ["name", "version"]]);
  assert.match(body.version, /^\d+\.\d+\.\d+/);
  const page = await fetch(studio.url, { headers: { accept: "text/html" }, redirect: "manual" });
  assert.deepEqual([page.status, page.headers.get("location")], [302, "/login"]);
});

withPodops("[described] the OpenAPI document is one, and each route in it answers", async (scene) => {
  const { body } = await scene.call("GET", "/openapi.json", { token: "" });
  const { valid, errors } = await new Validator().validate(body as Record<string, unknown>);
  assert.ok(valid, JSON.stringify(errors, null, 1));
  assert.equal(body.servers[0].url, scene.studio.url);
  for (const [name, { method, path, needs }] of routes) {
    const operation = body.paths[path.replaceAll(/:(\w+)/g, "{$1}")][method.toLowerCase()];
    assert.equal(operation.operationId, name);
    const address = path.replace(":kind", "episode").replaceAll(/:\w+/g, "000000000000");
    const { status, text } = await scene.call(method, address, method === "POST" && name !== "upload" ? { json: {} } : {});
    assert.ok(status < 500 && !text.includes("nothing under this address"), `${name}: ${status} ${text}`);
    if (needs !== "open") assert.equal((await scene.call(method, address, { token: "" })).status, 401, name);
  }
});

withPodops("[described] the page for readers names every call and field, and needs nothing from elsewhere", async ({ studio }) => {
  const answer = await fetch(`${studio.url}/docs`);
  const text = await answer.text();
  assert.match(answer.headers.get("content-type") ?? "", /text\/html/);
  const articles = text.split("<article ").map((article) => article.replaceAll(/<[^>]*>/g, ""));
  for (const [name, route] of routes) {
    assert.ok(text.includes(`id="${name}"`), name);
    const article = articles.find((one) => one.startsWith(`id="${name}"`)) ?? "";
    assert.ok(article.includes(route.path) && article.includes("curl "), name);
    for (const field of Object.values(fieldsOf(route)).flat())
      assert.ok(article.includes(field.replace(/=.*/, "").split(".").at(-1) ?? ""), `${name}: ${field}`);
  }
  assert.doesNotMatch(text, /<script|<link|<img|src=/, "it is one file");
});

withPodops("[described] [every route] the client makes its own tokens, and takes a feed from nothing to a build", async (scene) => {
  const studio = createPodopsClient({ url: scene.studio.url, key: { admin: scene.adminKey } });
  assert.match((await studio.version()).version, /^\d/);
  const { guid } = await studio.createProduction({ body: { name: "slow-mornings" } });
  const at = { prod: guid, id: guid, kind: "show" } as const;
  const show = await studio.createResource({ params: at, body: { kind: "show", description: { title: "Slow Mornings" } } });
  assert.ok(show.kind === "show" && show.description.title === "Slow Mornings");
  const path = join(scene.given.dataDir, "tea.wav");
  await writeFile(path, wav(2));
  const { uri, size } = await studio.upload(guid, { path });
  assert.equal(size, wav(2).length);
  const refused = await studio
    .createResource({
      params: { ...at, kind: "episode", id: "a-cup-of-tea" },
      body: { kind: "episode", description: { title: "" }, enclosure: { uri: "none.wav" } },
    })
    .catch((error: unknown) => error);
  assert.ok(refused instanceof ApiRefusal && refused.status === 400);
  assert.deepEqual(problemsOf(refused), [{ path: "description.title", message: "is empty" }]);
  const made = await studio.createResource({
    params: { ...at, kind: "episode", id: "a-cup-of-tea" },
    body: { kind: "episode", description: { title: "A cup of tea" }, enclosure: { uri } },
  });
  assert.ok(made.kind === "episode" && made.state === "waiting");
  assert.deepEqual(await studio.build({ body: { guid }, query: { v: "true" } }), { valid: true });
  const built = await studio.build({ body: { guid } });
  assert.ok("feed" in built && (await fetch(built.feed)).ok);
  const { resources } = await studio.listResources({ params: { prod: guid, kind: "all" } });
  assert.deepEqual(
    resources.map(({ kind }) => kind),
    ["show", "episode", "asset", "asset"],
  );
  await studio.deleteResource({ params: { ...at, kind: "episode", id: "a-cup-of-tea" } });
  await studio.deleteProduction({ params: { id: guid } });
  assert.deepEqual(await studio.listProductions(), { productions: [] });
  const reader = createPodopsClient({ url: scene.studio.url, key: { token: await scene.makeToken([podopsScopes[0]]) } });
  await assert.rejects(reader.createProduction({ body: { name: "slow-mornings" } }), (error: ApiRefusal) => error.status === 403);
});
