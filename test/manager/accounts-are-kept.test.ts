import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { accountStatuses, secretNames } from "../../src/contract/backlink-api.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

const secrets = {
  password: "demo-password",
  app_password: "abcd efgh ijkl mnop",
  pass_mail: "demo-mail",
  twofa: "JBSWY3DPEHPK3PXP",
  cookies: "sid=demo-cookie",
  api_token: "demo-token",
};

async function newGroup({ ask }: OwnerScene, accounts: unknown[] = []): Promise<string> {
  const made = await ask("createGroup", { json: { name: "G", service_type: "podcast", accounts } });
  return "group" in made ? made.group.id : made.id;
}

withOwner("[B7] [secrets] an account is made; its secrets are not shown, but whether there are any is", async (scene) => {
  const { ask, clock, store } = scene;
  const id = await newGroup(scene);
  const json = { website: "https://Studio.Example.com/login", email: "Ann@example.com", note: " as it is ", ...secrets, pass_mail: "" };
  const made = await ask("createAccount", { params: { id }, json });
  assert.deepEqual(made, {
    id: made.id,
    group_id: id,
    service_type: "podcast",
    website: json.website,
    username: "",
    email: "Ann@example.com",
    password: null,
    app_password: null,
    pass_mail: null,
    twofa: null,
    cookies: null,
    api_token: null,
    has_password: true,
    has_app_password: true,
    has_pass_mail: false,
    has_twofa: true,
    has_cookies: true,
    has_api_token: true,
    active: true,
    status: "active",
    is_indexed: false,
    link_rss: "",
    note: " as it is ",
    created_at: new Date(clock.now()).toISOString(),
  });
  assert.deepEqual(await ask("readAccount", { params: { id: made.id } }), made);
  const { rows } = await store.raw("select * from manager.accounts");
  for (const secret of Object.values(secrets)) assert.equal(JSON.stringify(rows).includes(secret), false, "sealed at rest");
});

withOwner("[B7] the same login on the same site of a group is refused; elsewhere it is another account", async (scene) => {
  const { ask, api } = scene;
  const [one, two] = [await newGroup(scene), await newGroup(scene)];
  const json = { website: "studio.example.com", email: "ann@example.com" };
  await ask("createAccount", { params: { id: one }, json });
  for (const twin of [
    json,
    { ...json, email: " ANN@example.com" },
    { website: "HTTPS://studio.example.com:443/x", username: "ann@example.com" },
  ]) {
    const refused = await api("POST", `/groups/${one}/accounts`, { json: twin });
    assert.deepEqual([refused.status, refused.body.code], [409, "account_exists"], JSON.stringify(twin));
  }
  await ask("createAccount", { params: { id: one }, json: { ...json, website: "studio.example.com:8443" } });
  await ask("createAccount", { params: { id: one }, json: { ...json, username: "ann" } });
  await ask("createAccount", { params: { id: two }, json });
});

withOwner("[B7] twenty who make one account at once make one", async (scene) => {
  const id = await newGroup(scene);
  const json = { website: "studio.example.com", email: "ann@example.com" };
  const answers = await Promise.all(Array.from({ length: 20 }, async () => scene.api("POST", `/groups/${id}/accounts`, { json })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array.from({ length: 19 }, () => 409)]);
});

withOwner("[B7] what is no account is refused, without its values", async (scene) => {
  const { api } = scene;
  const id = await newGroup(scene);
  const refused = async (json: unknown): Promise<number> => {
    const { status, text } = await api("POST", `/groups/${id}/accounts`, { json });
    assert.equal(text.includes("demo-secret"), false);
    return status;
  };
  const email = "ann@example.com";
  assert.equal(await refused({ email }), 400);
  assert.equal(await refused({ website: "a.example" }), 400);
  assert.equal(await refused({ website: "a.example", username: " ", email: "" }), 400);
  assert.equal(await refused({ website: "a.example", email, password: ["demo-secret"] }), 400);
  assert.equal(await refused({ website: "a.example", email, active: "demo-secret" }), 400);
  assert.equal(await refused({ website: "demo-secret not a host", email }), 422);
  assert.equal(await refused({ website: "ftp://a.example", email }), 422);
  assert.equal(await refused({ website: `${"a".repeat(300)}.example`, email }), 422);
  assert.equal(await refused({ website: "a.example", email: "demo-secret".repeat(100) }), 422);
  assert.equal(await refused({ website: "a.example", email, note: "\ud800 demo-secret" }), 422);
  assert.equal((await api("POST", `/groups/${randomUUID()}/accounts`, { json: { website: "a.example", email } })).status, 404);
});

withOwner("[B7] an account on a site that no farm drives is made, and waits until one does", async (scene) => {
  const { ask, call } = scene;
  const id = await newGroup(scene);
  const make = async (website: string, active?: boolean) =>
    (await ask("createAccount", { params: { id }, json: { website, email: `${randomUUID()}@example.com`, active } })).status;
  assert.equal(await make("other.example.com"), "active", "as long as no farm has said anything");
  await call("/links?type=secondary", { sites: "import.example.com" });
  assert.equal(await make("third.example.com"), "active", "nor where it posts");
  await call("/links?type=primary", { sites: "studio.example.com" });
  assert.equal(await make("studio.example.com"), "active");
  assert.equal(await make("import.example.com"), "active");
  assert.equal(await make("new.example.com"), "unsupported");
  assert.equal(await make("new.example.com", false), "inactive");
  await call("/links?type=primary", { sites: "studio.example.com, new.example.com" });
  const { total } = await ask("listAccounts", { params: { id }, query: { status: "unsupported" } });
  assert.equal(total, 0);
});

withOwner("[B8] whatever is filtered, the pages together are what fits, each once, the newest first", async (scene) => {
  const { ask, clock, store } = scene;
  const texts = ["50%", "a_b", "A-B", "back\\slash", "Ünïcode", "plain"];
  const id = await newGroup(scene);
  await newGroup(scene, [{ website: "plain.example.com", email: "other-group@example.com" }]);
  for (let index = 0; index < 4; index += 1) {
    clock.forwardMinutes(1);
    const accounts = texts.map((text, at) => ({
      website: `site-${at % 3}.example.com`,
      username: at % 2 ? `${text} ${index}` : "",
      email: `${index}-${at}@example.com`,
      note: at % 2 ? "" : text,
    }));
    await ask("importAccounts", { params: { id }, json: { accounts } });
  }
  for (const [at, status] of accountStatuses.entries())
    await store.raw(`update manager.accounts set status = '${status}' where email like '${at}-%'`);
  const everything = await ask("listAccounts", { params: { id }, query: { limit: 100 } });
  assert.equal(everything.total, 24);
  const all = everything.data;
  assert.deepEqual(
    all,
    all.toSorted((a, b) => b.created_at.localeCompare(a.created_at) || (a.id < b.id ? -1 : 1)),
  );
  assert.deepEqual(
    all.slice(0, 6).map(({ email }) => email),
    texts.map((_, at) => `3-${at}@example.com`),
    "rows of one import in its order",
  );
  const filters = fc.record({
    status: fc.constantFrom("", ...accountStatuses),
    search: fc.constantFrom("", "%", "_", "\\", "a_B", "SITE-1", "nïC", "plain", "2-", "@", "nothing"),
    limit: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(filters, async (query) => {
      const fits = all
        .filter((one) => !query.status || one.status === query.status)
        .filter((one) =>
          [one.website, one.username, one.email, one.note].some((text) => text.toLowerCase().includes(query.search.toLowerCase())),
        );
      const seen: unknown[] = [];
      for (let page = 1; page === 1 || (page - 1) * query.limit < fits.length; page += 1) {
        const answer = await ask("listAccounts", { params: { id }, query: { ...query, page } });
        assert.deepEqual([answer.total, answer.page, answer.limit], [fits.length, page, query.limit]);
        seen.push(...answer.data);
      }
      assert.deepEqual(seen, fits);
    }),
    { numRuns: 40 },
  );
});

withOwner("[B11] null and has_… change nothing, an empty text clears, what is given is written", async (scene) => {
  const { ask, login, owner } = scene;
  const token = await login(owner.email, owner.password, "secrets:read");
  const group = await newGroup(scene);
  const json = { website: "studio.example.com", username: "ann", email: "ann@example.com", note: "N", ...secrets };
  const { id } = await ask("createAccount", { params: { id: group }, json });
  const put = async (change: object) => ask("changeAccount", { params: { id }, json: change, token });
  const before = await ask("readAccount", { params: { id }, token });
  assert.deepEqual(await put({ ...(await ask("readAccount", { params: { id } })), has_password: false, has_twofa: false }), before);
  assert.deepEqual(await put({}), before);
  const changed = await put({ password: "new-password", twofa: "", note: "", email: "ann@other.example" });
  assert.deepEqual(changed, { ...before, password: "new-password", twofa: "", has_twofa: false, note: "", email: "ann@other.example" });
  assert.equal((await put({ active: false })).status, "inactive");
  assert.deepEqual([(await put({ active: true })).status, (await put({ active: true })).active], ["active", true]);
});

withOwner("[B11] a change that would leave an account nameless, homeless or a twin is refused", async (scene) => {
  const { ask, api } = scene;
  const group = await newGroup(scene);
  const make = async (email: string, website = "studio.example.com") =>
    ask("createAccount", { params: { id: group }, json: { website, email } });
  const [ann] = [await make("ann@example.com"), await make("bob@example.com"), await make("ann@example.com", "other.example.com")];
  const refused = async (json: object) => {
    const { status, body } = await api("PUT", `/accounts/${ann.id}`, { json });
    return [status, body.code];
  };
  assert.deepEqual(await refused({ email: "BOB@example.com" }), [409, "account_exists"]);
  assert.deepEqual(await refused({ username: "bob@example.com" }), [409, "account_exists"]);
  assert.deepEqual(await refused({ website: "https://other.example.com" }), [409, "account_exists"]);
  assert.deepEqual(await refused({ email: "" }), [422, "unprocessable"]);
  assert.deepEqual(await refused({ website: "" }), [422, "unprocessable"]);
  assert.deepEqual(await ask("readAccount", { params: { id: ann.id } }), ann);
  assert.equal(
    (await ask("changeAccount", { params: { id: ann.id }, json: { website: "third.example.com" } })).website,
    "third.example.com",
  );
});

withOwner("[B11] an account that could not sign in is active again once it signs in in another way", async (scene) => {
  const { ask, store } = scene;
  const group = await newGroup(scene);
  const { id } = await ask("createAccount", {
    params: { id: group },
    json: { website: "studio.example.com", email: "ann@example.com", ...secrets },
  });
  for (const [json, status] of [
    [{ note: "still" }, "failed"],
    [{ active: true }, "failed"],
    [{ cookies: "sid=other" }, "failed"],
    [{ password: secrets.password }, "failed"],
    [{ password: "another-password" }, "active"],
    [{ twofa: "" }, "active"],
    [{ app_password: "qrst" }, "active"],
    [{ api_token: "another-token" }, "active"],
    [{ username: "ann" }, "active"],
    [{ active: false, password: "a-third-password" }, "inactive"],
  ] as const) {
    await store.raw("update manager.accounts set status = 'failed'");
    assert.equal((await ask("changeAccount", { params: { id }, json })).status, status, JSON.stringify(json));
  }
});

withOwner("[B11] [B13] accounts are deleted one by one or together, with an answer for each", async (scene) => {
  const { ask, api, store } = scene;
  const group = await newGroup(
    scene,
    ["a", "b", "c"].map((name) => ({ website: "studio.example.com", username: name })),
  );
  const [one, two, three] = (await ask("listAccounts", { params: { id: group } })).data.map(({ id }) => id);
  assert.deepEqual(await ask("deleteAccount", { params: { id: one ?? "" } }), { success: true });
  assert.equal((await api("DELETE", `/accounts/${one}`)).status, 404);
  const unknown = randomUUID();
  const ids = [two?.toUpperCase() ?? "", one ?? "", "no-uuid", unknown, three ?? ""];
  const { results } = await ask("deleteAccounts", { json: { ids } });
  assert.deepEqual(
    results.map(({ id, ok, message }) => [id, ok, message]),
    [
      [ids[0], true, undefined],
      [one, false, "There is no such account."],
      ["no-uuid", false, "There is no such account."],
      [unknown, false, "There is no such account."],
      [three, true, undefined],
    ],
  );
  assert.equal((await ask("listAccounts", { params: { id: group } })).total, 0);
  const { rows } = await store.raw("select what, how_many from manager.audit where action = 'delete' order by id");
  assert.deepEqual(
    rows.map((row) => (row as { how_many: number }).how_many),
    [1, 2],
  );
  assert.equal((await api("POST", "/accounts/bulk-delete", { json: { ids: [] } })).status, 422);
  assert.equal((await api("POST", "/accounts/bulk-delete", { json: { ids: Array.from({ length: 1001 }, () => unknown) } })).status, 422);
});

withOwner("[secrets] an owner who asks for them sees them everywhere, and each time is written down", async (scene) => {
  const { ask, api, login, owner, addUser, store } = scene;
  const token = await login(owner.email, owner.password, "secrets:read");
  const group = await newGroup(scene, [{ website: "studio.example.com", email: "bob@example.com" }]);
  const json = { website: "studio.example.com", email: "ann@example.com", ...secrets };
  const { id } = await ask("createAccount", { params: { id: group }, json, token });
  const list = await ask("listAccounts", { params: { id: group }, token });
  const exported = await ask("exportGroup", { params: { id: group }, token });
  assert.ok(typeof exported !== "string");
  for (const shown of [
    await ask("readAccount", { params: { id }, token }),
    await ask("changeAccount", { params: { id }, json: {}, token }),
    list.data.find(({ email }) => email === json.email),
    exported.accounts.find(({ email }) => email === json.email),
  ])
    for (const name of secretNames) assert.equal(shown?.[name], secrets[name], name);
  const { rows } = await store.raw("select action, email, what, how_many from manager.audit where action ~ '^secrets|export$' order by id");
  const { email } = owner;
  assert.deepEqual(rows, [
    { action: "secrets.read", email, what: `account ${id}`, how_many: 1 },
    { action: "secrets.read", email, what: `accounts of group ${group}`, how_many: 1 },
    { action: "secrets.read", email, what: `group ${group} (G)`, how_many: 1 },
    { action: "accounts.export", email, what: `group ${group} (G)`, how_many: 2 },
    { action: "secrets.read", email, what: `account ${id}`, how_many: 1 },
    { action: "secrets.read", email, what: `account ${id}`, how_many: 1 },
  ]);
  const viewer = await addUser("viewer");
  assert.equal((await api("GET", `/accounts/${id}`, { token: viewer.token })).body.password, null);
});

withOwner("[secrets] one that can't be opened any more is no obstacle to the others, nor to a new one", async (scene) => {
  const { ask, login, owner, store } = scene;
  const token = await login(owner.email, owner.password, "secrets:read");
  const group = await newGroup(scene, [{ website: "studio.example.com", email: "ann@example.com", ...secrets }]);
  await store.raw("update manager.accounts set password = 'v1.00000000.AAAA.AAAA', status = 'failed'");
  const [broken] = (await ask("listAccounts", { params: { id: group }, token })).data;
  assert.deepEqual([broken?.password, broken?.has_password, broken?.twofa], [null, true, secrets.twofa]);
  const mended = await ask("changeAccount", { params: { id: broken?.id ?? "" }, json: { password: "new-password" }, token });
  assert.deepEqual([mended.password, mended.status], ["new-password", "active"]);
});
