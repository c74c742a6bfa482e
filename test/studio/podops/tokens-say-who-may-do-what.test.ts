import assert from "node:assert/strict";
import { podopsRoutes, podopsScopes, type PodopsRoute } from "../../../src/contract/podops-api.ts";
import { virtualClock } from "../../support/virtual-clock.ts";
import { email } from "../support.ts";
import { withPodops } from "./support.ts";

const clock = virtualClock(Date.parse("2026-11-21T08:00:00Z"));

withPodops("[P2] [P12] the admin key makes a token, which says whose it is and what it may do", async ({ call, adminKey }) => {
  const json = { subject: "ci@example.com", scope: "resource:read production:read" };
  const made = await call("POST", "/_a/token", { token: adminKey, json });
  assert.equal(made.status, 201);
  assert.deepEqual(Object.keys(made.body).sort(), ["expires_at", "token"]);
  assert.ok(Math.abs(made.body.expires_at - (Date.now() / 1000 + 86_400)) < 60, "a day from now, in unix seconds");
  const seen = await call("GET", "/_a/token", { token: made.body.token });
  assert.deepEqual(
    [seen.status, seen.body],
    [200, { valid: true, subject: "ci@example.com", scope: "production:read resource:read", exp: made.body.expires_at }],
  );
  const own = await call("POST", "/_a/token", { token: adminKey, json: { scope: "resource:read" } });
  assert.equal((await call("GET", "/_a/token", { token: own.body.token })).body.subject, email, "nobody named: the first account");
});

withPodops("[P12] a token is made by the admin key alone, of known scopes, for a time", async ({ call, adminKey, token }) => {
  const json = { scope: "resource:read" };
  const post = async (bearer: string, body: object = json) => (await call("POST", "/_a/token", { token: bearer, json: body })).status;
  assert.deepEqual([await post(""), await post("pcs_wrong"), await post(token)], [401, 401, 403]);
  for (const body of [
    {},
    { scope: "" },
    { scope: "resource:read root" },
    { scope: 5 },
    { ...json, expires_in: 0 },
    { ...json, expires_in: 1e9 },
  ])
    assert.equal(await post(adminKey, body), 400, JSON.stringify(body));
  const { body } = await call("POST", "/_a/token", { token: adminKey, json: { scope: "resource:read root and more" } });
  assert.deepEqual(
    body.errors.map(({ path }: { path: string }) => path),
    ["scope", "scope", "scope"],
  );
});

withPodops(
  "[P2] [auth] a token that is changed, expired or none is 401, and nothing else is looked at",
  async ({ call, makeToken, adminKey }) => {
    const token = await makeToken(podopsScopes, { expires_in: 60 });
    const [head, payload, signature] = token.split(".");
    const claims = JSON.parse(Buffer.from(payload ?? "", "base64url").toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: "mallory" })).toString("base64url");
    const none = Buffer.from(JSON.stringify({ alg: "none", typ: "at+jwt" })).toString("base64url");
    const bad = ["x", adminKey, `${head}.${forged}.${signature}`, `${none}.${payload}.`];
    for (const given of bad) assert.equal((await call("GET", "/_a/token", { token: given })).status, 401, given);
    assert.equal((await call("GET", "/_a/token", { token: "", headers: { authorization: `Basic ${token}` } })).status, 401);
    assert.equal((await call("GET", "/_a/token", { token })).status, 200);
    await clock.advance(61_000);
    const late = await call("GET", "/_a/token", { token });
    assert.deepEqual([late.status, late.body], [401, { status: 401, message: "The token has expired." }]);
    for (const [method, path] of [
      ["POST", "/a/v1/production"],
      ["POST", "/a/v1/resource/nothing/nothing/%00"],
      ["GET", "/a/v1/nothing"],
      ["PUT", "/_t/nothing"],
      ["POST", "/a/v1/upload/nothing"],
    ] as const) {
      const answer = await call(method, path, { token: "", ...(method !== "GET" && { body: "{broken" }) });
      assert.deepEqual([answer.status, Object.keys(answer.body)], [401, ["status", "message"]], path);
    }
  },
  { clock },
);

withPodops("[scopes] each call takes its own scope, and no other will do", async (scene) => {
  const guid = await scene.production("slow-mornings");
  const form = (): FormData => new FormData();
  for (const [name, { method, path, needs, words }] of Object.entries<PodopsRoute>(podopsRoutes)) {
    if (!(podopsScopes as readonly string[]).includes(needs)) continue;
    const others = podopsScopes.filter((scope) => scope !== needs);
    const address = path
      .replace(":prod", guid)
      .replace(":kind", words?.["kind"]?.[0] ?? "")
      .replace(":id", "000000000000");
    const body = name === "upload" ? { body: form() } : method === "GET" || method === "DELETE" ? {} : { json: {} };
    const without = await scene.call(method, address, { token: await scene.makeToken(others), ...body });
    assert.deepEqual([without.status, without.body], [403, { status: 403, message: `The token lacks the scope ${needs}.` }], name);
    const only = await scene.makeToken([needs as (typeof podopsScopes)[number]]);
    assert.notEqual((await scene.call(method, address, { token: only, ...body })).status, 403, name);
  }
});

withPodops("[owner] what somebody else made is not there, and its name is taken", async (scene) => {
  const guid = await scene.production("slow-mornings");
  await scene.episode(guid, "a-cup-of-tea");
  const token = await scene.makeToken(podopsScopes, { subject: "somebody else" });
  const call = async (method: string, path: string, json?: object) => scene.call(method, path, { token, ...(json && { json }) });
  assert.deepEqual((await call("GET", "/a/v1/productions")).body, { productions: [] });
  const foreign = [
    await call("GET", `/a/v1/resource/${guid}/all`),
    await call("GET", "/a/v1/resource/slow-mornings/show/slow-mornings"),
    await call("PUT", `/a/v1/resource/${guid}/episode/a-cup-of-tea`, {}),
    await call("DELETE", `/a/v1/resource/${guid}/episode/a-cup-of-tea`),
    await call("DELETE", `/a/v1/production/${guid}`),
    await call("POST", "/a/v1/build", { guid }),
    await call("POST", "/_t/import", { guid, uri: "https://example.com/a.mp3" }),
  ];
  for (const { status, body } of foreign) assert.deepEqual([status, body], [404, { status: 404, message: "There is no such production." }]);
  const taken = await call("POST", "/a/v1/production", { name: "slow-mornings" });
  assert.deepEqual([taken.status, taken.body.errors], [400, [{ path: "name", message: "is taken; choose another name" }]]);
  const own = await call("POST", "/a/v1/production", { name: "fast-evenings" });
  assert.deepEqual([own.status, own.body.owner], [201, "somebody else"]);
  assert.equal((await call("GET", "/a/v1/productions")).body.productions.length, 1);
});
