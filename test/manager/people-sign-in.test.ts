import assert from "node:assert/strict";
import { sql } from "kysely";
import { requestJson } from "../../src/kit/http.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

async function post(scene: OwnerScene, path: string, json: unknown) {
  return requestJson(`${scene.manager.url}/api/v1/auth${path}`, { method: "POST", json });
}

async function me(scene: OwnerScene, token: string) {
  return requestJson(`${scene.manager.url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } });
}

interface Pair {
  token: string;
  refresh_token: string;
  expires_at: string;
}

async function pairOf(scene: OwnerScene): Promise<Pair> {
  const { email, password } = scene.owner;
  return (await post(scene, "/login", { email, password })).body as Pair;
}

withOwner("[sign-in] a password brings a token for an hour, and who is signed in is told with the credits that are left", async (scene) => {
  const { email, id } = scene.owner;
  await scene.manager.addCredits({ email, amount: 1000 });
  await scene.manager.addCredits({ email, amount: -1 });
  const { token, expires_at } = await pairOf(scene);
  assert.equal(Date.parse(expires_at) - scene.clock.now(), 3_600_000);
  assert.deepEqual((await me(scene, token)).body, { success: true, user: { id, email, role: "owner" }, credits: 999, scope: "" });
  scene.clock.forwardMinutes(61);
  const late = await me(scene, token);
  assert.deepEqual([late.status, (late.body as { code: string }).code], [401, "token_expired"]);
});

withOwner(
  "[sign-in] a wrong password and an unknown e-mail are refused alike; the eleventh try in a minute waits, also a right one",
  async (scene) => {
    const { email, password } = scene.owner;
    scene.clock.forwardMinutes(2);
    const wrong = await post(scene, "/login", { email, password: "demo-of-last-year" });
    const unknown = await post(scene, "/login", { email: "nobody@example.com", password });
    assert.deepEqual([wrong.status, wrong.body], [unknown.status, unknown.body]);
    assert.equal(wrong.status, 401);
    for (let tries = 1; tries < 10; tries++) await post(scene, "/login", { email, password: "demo-of-last-year" });
    for (const spelling of ["/login?x", "/login/", "/log%69n"])
      assert.equal((await post(scene, spelling, { email, password })).status, 429, spelling);
    const late = await post(scene, "/login", { email, password });
    assert.equal(late.status, 429);
    assert.ok(late.retryAfterMs !== null && late.retryAfterMs > 0 && late.retryAfterMs <= 60_000, String(late.retryAfterMs));
    scene.clock.forwardMinutes(1.1);
    assert.equal((await post(scene, "/login", { email, password })).status, 200);
  },
);

withOwner(
  "[sign-in] a refresh token is good for one exchange; a second use ends all that came of that sign-in, and nothing else",
  async (scene) => {
    const [first, other] = [await pairOf(scene), await pairOf(scene)];
    const second = (await post(scene, "/refresh", { refresh_token: first.refresh_token })).body as Pair;
    assert.equal((await me(scene, second.token)).status, 200);
    const again = await post(scene, "/refresh", { refresh_token: first.refresh_token });
    assert.deepEqual([again.status, (again.body as { code: string }).code], [401, "invalid_token"]);
    assert.equal((await me(scene, second.token)).status, 401, "whoever exchanged it is out as well");
    assert.equal((await post(scene, "/refresh", { refresh_token: second.refresh_token })).status, 401);
    assert.equal((await me(scene, other.token)).status, 200, "another sign-in goes on");
    assert.equal((await post(scene, "/logout", { refresh_token: other.refresh_token })).status, 200);
    assert.equal((await me(scene, other.token)).status, 401, "signed out is out at once");
  },
);

withOwner("[sign-in] a token that was changed, signed by another or has no signature opens nothing", async (scene) => {
  const { token } = await pairOf(scene);
  const [header = "", payload = "", signature = ""] = token.split(".");
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as object;
  const forged = [
    `${header}.${encoded({ ...claims, scope: "secrets:read" })}.${signature}`,
    `${encoded({ alg: "none" })}.${payload}.`,
    `${header}.${payload}.${Buffer.alloc(32).toString("base64url")}`,
    "nonsense",
  ];
  for (const one of forged) assert.equal((await me(scene, one)).status, 401, one.slice(0, 20));
  assert.equal((await requestJson(`${scene.manager.url}/api/v1/auth/me`)).status, 401);
});

withOwner("[sign-in] a viewer reads, an operator works, both for their owner; only an owner may ask for secrets", async (scene) => {
  const group = await scene.ask("createGroup", { json: { name: "Mornings", service_type: "podcast" } });
  const [viewer, operator] = [await scene.addUser("viewer"), await scene.addUser("operator")];
  const list = async (token: string) => (await scene.api("GET", "/groups", { token })).body as { data: { id: string }[] };
  for (const { token } of [viewer, operator])
    assert.deepEqual(
      (await list(token)).data.map(({ id }) => id),
      ["group" in group ? group.group.id : group.id],
    );
  const make = { name: "Evenings", service_type: "podcast" };
  const refused = await scene.api("POST", "/groups", { token: viewer.token, json: make });
  assert.deepEqual([refused.status, refused.body.code], [403, "not_allowed"]);
  assert.equal((await scene.api("POST", "/groups", { token: operator.token, json: make })).status, 201);
  const { email, password } = operator;
  assert.equal((await post(scene, "/login", { email, password, scope: "secrets:read" })).status, 403);
  assert.equal((await post(scene, "/login", { ...scene.owner, scope: "everything" })).status, 422);
});

withOwner("[sign-in] a user that is removed is out at once, and the ledger and the audit log can't be rewritten", async (scene) => {
  const viewer = await scene.addUser("viewer");
  await scene.manager.users.remove(viewer.email);
  assert.equal((await scene.api("GET", "/groups", { token: viewer.token })).status, 401);
  await scene.manager.addCredits({ email: scene.owner.email, amount: 5 });
  const db = scene.store.part("manager");
  for (const statement of [sql`update manager.credits set amount = 6`, sql`delete from manager.credits`, sql`truncate manager.audit`])
    await assert.rejects(statement.execute(db), /append-only/);
});
