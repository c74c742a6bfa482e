import assert from "node:assert/strict";
import { requestJson } from "../../src/kit/http.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

interface Line {
  email: string;
  action: string;
  what: string;
  how_many: number;
}

async function auditOf({ manager, owner }: OwnerScene, query = "", token = owner.token) {
  const { status, body } = await requestJson(`${manager.url}/api/v1/auth/audit${query}`, { headers: { authorization: `Bearer ${token}` } });
  return { status, body: body as { success: boolean; data: Line[]; total: number; page: number; limit: number; code?: string } };
}

withOwner(
  "[sign-in] people, keys and credits leave a line each, in the transaction that changes them; no line has a secret",
  async (scene) => {
    const { manager, owner } = scene;
    const operator = await scene.addUser("operator");
    await manager.users.setRole(operator.email, "viewer");
    await manager.users.setPassword(operator.email, "demo-password-of-today");
    await manager.users.remove(operator.email);
    await manager.addCredits({ email: owner.email, amount: 500, note: "November" });
    await manager.addCredits({ email: owner.email, amount: -200 });
    const own = await manager.keys.create({ name: "writer", scopes: ["content:write"], tenant: owner.id });
    const worker = await manager.keys.create({ name: "second farm" });
    await manager.keys.revoke(own.id);
    await manager.keys.revoke(own.id);
    const { body } = await auditOf(scene, "?limit=100");
    assert.deepEqual(
      body.data.map(({ action, what }) => [action, what]),
      [
        ["key.revoke", `${own.prefix}… writer`],
        ["key.create", `${worker.prefix}… second farm (worker)`],
        ["key.create", `${own.prefix}… writer (content:write)`],
        ["credits.add", `-200 credits for ${owner.email}`],
        ["credits.add", `500 credits for ${owner.email}: November`],
        ["user.remove", `${operator.email} (viewer)`],
        ["user.password", operator.email],
        ["user.role", `${operator.email} (operator to viewer)`],
        ["user.add", `${operator.email} (operator)`],
        ["user.add", `${owner.email} (owner)`],
        ["key.create", body.data.at(-1)?.what ?? ""],
      ],
    );
    assert.ok(body.data.every(({ email, how_many }) => email === "podcrew" && how_many === 1));
    const text = JSON.stringify(body);
    for (const secret of [own.key, worker.key, operator.password, "demo-password-of-today"]) assert.equal(text.includes(secret), false);
  },
);

withOwner("[sign-in] deletes, exports and seen secrets are told with who did it; the list pages and filters", async (scene) => {
  const { owner } = scene;
  const made = await scene.ask("createGroup", { json: { name: "Mornings", service_type: "podcast" } });
  const id = "group" in made ? made.group.id : made.id;
  const account = { website: "studio.example.com", email: "ann@example.com", password: "demo-password" };
  await scene.ask("createAccount", { params: { id }, json: account });
  const operator = await scene.addUser("operator");
  await scene.api("GET", `/groups/${id}/export`, { token: operator.token });
  const revealing = await scene.login(owner.email, owner.password, "secrets:read");
  await scene.api("GET", `/groups/${id}/accounts`, { token: revealing });
  await scene.api("DELETE", `/groups/${id}`, { token: operator.token });
  const { body } = await auditOf(scene, "?limit=3");
  assert.deepEqual(
    body.data.map(({ email, action }) => [email, action]),
    [
      [operator.email, "delete"],
      [owner.email, "secrets.read"],
      [operator.email, "accounts.export"],
    ],
  );
  assert.ok(body.total > 3);
  const second = await auditOf(scene, "?limit=2&page=2");
  assert.deepEqual([second.body.page, second.body.limit, second.body.total], [2, 2, body.total]);
  assert.equal(second.body.data[0]?.action, "accounts.export");
  assert.deepEqual(
    (await auditOf(scene, "?action=delete")).body.data.map(({ what }) => what),
    [`group ${id} (Mornings)`],
  );
  assert.equal((await auditOf(scene, "?search=MORNINGS&action=delete")).body.total, 1);
  assert.equal((await auditOf(scene, "?search=%25")).body.total, 0);
  assert.equal((await auditOf(scene, "?action=x")).status, 400);
});

withOwner("[sign-in] the log is an owner's own: others see none of it, and who works for one is not let in", async (scene) => {
  const [other, operator, viewer] = [await scene.addUser("owner"), await scene.addUser("operator"), await scene.addUser("viewer")];
  await scene.manager.addCredits({ email: scene.owner.email, amount: 7 });
  const { body } = await auditOf(scene, "", other.token);
  assert.deepEqual(
    body.data.map(({ action, what }) => [action, what.replace(/^pck_.{6}… /, "")]),
    [
      ["user.add", `${other.email} (owner)`],
      ["key.create", "farm (worker)"],
    ],
    "a key that sees everybody's work is everybody's concern",
  );
  for (const { token } of [operator, viewer]) assert.equal((await auditOf(scene, "", token)).status, 403);
  assert.equal((await requestJson(`${scene.manager.url}/api/v1/auth/audit`)).status, 401);
});

withOwner("[sign-in] no more credits are taken back than there are, however many do it at once", async (scene) => {
  const { manager, owner } = scene;
  await manager.addCredits({ email: owner.email, amount: 1000 });
  const takes = await Promise.allSettled(Array.from({ length: 8 }, async () => manager.addCredits({ email: owner.email, amount: -300 })));
  assert.equal(takes.filter(({ status }) => status === "fulfilled").length, 3);
  for (const one of takes) if (one.status === "rejected") assert.match(String(one.reason), /can't be taken back/);
  const made = await scene.ask("createGroup", { json: { name: "Mornings", service_type: "podcast" } });
  assert.ok("id" in made);
  const order = { name: "Week 47", auction_price: 50, target: 1 };
  const results = await Promise.allSettled([
    scene.api("POST", "/podcast", { json: order }),
    scene.api("POST", "/podcast", { json: order }),
    manager.addCredits({ email: owner.email, amount: -50 }),
    manager.addCredits({ email: owner.email, amount: -60 }),
  ]);
  assert.equal(results.length, 4);
  const { rows } = await scene.store.raw("select sum(amount)::int as left from manager.credits");
  const [{ left }] = rows as [{ left: number }];
  assert.ok(left >= 0 && left < 100, `${left} are left`);
  const refused = await manager.addCredits({ email: owner.email, amount: -left - 1 }).catch((error: Error) => error.message);
  assert.match(String(refused), new RegExp(`has ${left} credits`));
  const lines = await auditOf(scene, "?action=credits.add&limit=100");
  const { rows: grants } = await scene.store.raw("select count(*)::int as n from manager.credits where kind = 'grant'");
  assert.equal(lines.body.total, (grants as { n: number }[])[0]?.n, "refused ones leave no line");
});
