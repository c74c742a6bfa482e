import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import { apiErrors } from "../../src/manager/errors.ts";
import { createClient } from "../../src/kit/api-client.ts";
import { requestJson } from "../../src/kit/http.ts";
import { withOwner } from "./backlink-support.ts";
import { fieldsOf } from "../support/promised/fields.ts";
import { everyRoute } from "./every-route.ts";

const nowhere = "00000000-0000-4000-8000-0000000000ff";

withOwner("[described] the OpenAPI document is one, and each route in it answers", async (scene) => {
  const { body } = await requestJson(`${scene.manager.url}/openapi.json`);
  const { valid, errors } = await new Validator().validate(body as Record<string, unknown>);
  assert.ok(valid, JSON.stringify(errors, null, 1));
  interface Operation {
    operationId: string;
    security: Record<string, unknown>[];
    parameters: { name: string }[];
    responses: Record<string, { content: object }>;
  }
  const document = body as { paths: Record<string, Record<string, Operation>> };
  const ids = Object.values(document.paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  for (const { operationId, parameters, responses } of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    const types = Object.values(responses).flatMap(({ content }) => Object.keys(content));
    assert.equal(
      types.includes("text/csv"),
      parameters.some(({ name }) => name === "format"),
      operationId,
    );
  }
  assert.equal(new Set(ids).size, ids.length, "each has a name of its own");
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, { security }] of Object.entries(methods)) {
      const url = scene.manager.url + path.replace("{type}", "podcast").replaceAll(/\{\w+\}/g, nowhere);
      const headers: Record<string, string> = security.some((one) => "token" in one)
        ? { authorization: `Bearer ${scene.owner.token}` }
        : { "x-api-key": scene.apiKey };
      const answer = await fetch(url, { method, headers });
      const text = await answer.text();
      // What is not there, or lacks its body, is refused by the route itself; an address that nobody serves is said so.
      assert.ok(answer.status < 500, `${method} ${path}: ${answer.status} ${text}`);
      assert.ok(!text.includes("nothing under this address") || path.includes("{"), `${method} ${path} is not served`);
      if (security.length > 0) assert.equal((await fetch(url, { method })).status, 401, `${method} ${path} without credentials`);
    }
});

withOwner("[described] the page for readers names every call, field and refusal, and needs nothing from elsewhere", async (scene) => {
  const answer = await fetch(`${scene.manager.url}/docs`);
  const text = await answer.text();
  assert.match(answer.headers.get("content-type") ?? "", /text\/html/);
  const articles = text.split("<article ").map((article) => article.replaceAll(/<[^>]*>/g, ""));
  assert.equal(articles.length - 1, everyRoute.length);
  for (const [at, route] of everyRoute.entries()) {
    assert.ok(text.includes(`id="${route.name}"`), route.name);
    const article = articles[at + 1] ?? "";
    assert.ok(article.includes(`${route.prefix}${route.path}`), route.name);
    assert.ok(article.includes(`curl `), `${route.name} has an example`);
    for (const field of Object.values(fieldsOf(route)).flat())
      assert.ok(article.includes(field.replace(/=.*/, "").split(".").at(-1) ?? ""), `${route.name}: ${field}`);
  }
  for (const [code, { status }] of Object.entries(apiErrors)) assert.match(text, new RegExp(`<code>${code}</code></th>\\s*<td>${status}<`));
  assert.doesNotMatch(text, /<script|<link|<img|src=/, "it is one file");
});

withOwner("[described] the client signs in by itself, gives what the document says, and tells a refusal by its code", async (scene) => {
  const { email, password } = scene.owner;
  await scene.manager.addCredits({ email, amount: 600 });
  const { accounts, requests, auth } = createClient({ url: scene.manager.url, email, password });
  const made = await accounts.createGroup({ body: { name: "  Mornings ", service_type: "podcast" } });
  const id = "group" in made ? made.group.id : made.id;
  const { imported } = await accounts.importAccounts({
    params: { id },
    body: { accounts: [{ website: "studio.example.com", email: "maya@example.com", password: "demo-password" }] },
  });
  assert.equal(imported, 1);
  const { data, total } = await accounts.listAccounts({ params: { id }, query: { limit: 5 } });
  assert.deepEqual([total, data[0]?.email, data[0]?.password, data[0]?.has_password], [1, "maya@example.com", null, true]);
  const body = { name: "Week 47", group_id: id, auction_price: 60, target: 10, data: { episodes: [{ title: "One", about: "A text" }] } };
  const request = await requests.createRequest({ params: { type: "podcast" }, body });
  assert.deepEqual([request.credits.held, (await auth.me()).credits], [600, 0]);
  scene.clock.forwardMinutes(61);
  assert.equal((await auth.me()).user.email, email, "signed in again when its token has expired");
  await assert.rejects(
    requests.createRequest({ params: { type: "podcast" }, body }),
    (error: Error & { status?: number; code?: string }) => error.status === 402 && error.code === "payment_required",
  );
});
