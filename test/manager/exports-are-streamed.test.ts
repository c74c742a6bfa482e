import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { parse } from "csv-parse/sync";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

interface Filled {
  group: string;
  request: string;
  /** Of the links, in the order of an export. */
  ids: string[];
}

/** A request with links of three moments, and their accounts. @param characters of each account's note and each link's */
async function filled({ owner, store, clock }: OwnerScene, count: number, characters = 0): Promise<Filled> {
  const [group, request, now] = [randomUUID(), randomUUID(), `'${new Date(clock.now()).toISOString()}'::timestamptz`];
  await store.raw(`insert into manager.groups (id, user_id, name, service_type, status, created_at, updated_at)
    values ('${group}', '${owner.id}', 'G', 'podcast', 'active', ${now}, ${now})`);
  await store.raw(`insert into manager.requests (id, user_id, group_id, service_type, type_request, name, website, auction_price, target,
      priority, config, data, folder_urls, status, created_at, updated_at)
    values ('${request}', '${owner.id}', '${group}', 'podcast', 'podcast', 'R', '', 1, 1, 0, '{}', '{}', '{}', 'stopped', ${now}, ${now})`);
  await store.raw(`insert into manager.accounts (id, group_id, site, login, username, email, password, pass_mail, twofa, app_password,
      api_token, cookie, link_rss, status, note, created_at, updated_at)
    select gen_random_uuid(), '${group}', 'studio.example.com', 'u-' || n, 'u-' || n, '', '', '', '', '', '', '', '', 'active',
      repeat('x', ${characters}), ${now} + (n % 3) * interval '1 minute', ${now}
    from generate_series(1, ${count}) n`);
  await store.raw(`insert into manager.links (id, request_id, account_id, kind, site, state, started_by, priority, episodes, link_post,
      note, error_message, retry_count, max_retries, created_at, updated_at)
    select gen_random_uuid(), '${request}', id, 'primary', site, 'failed', '[]', 0, '[]', '', note, '=cmd()', 0, 3, created_at, ${now}
    from manager.accounts where group_id = '${group}'`);
  const { rows } = await store.raw("select id from manager.links where request_id = $1 order by created_at desc, id", [request]);
  return { group, request, ids: (rows as { id: string }[]).map(({ id }) => id) };
}

const idsOf = (links: { id: string }[]): string[] => links.map(({ id }) => id);

/** The answer, of which nothing is read yet. */
async function begun({ manager, owner }: OwnerScene, path: string): Promise<Response> {
  const response = await fetch(`${manager.url}/api/v1/backlink${path}`, { headers: { authorization: `Bearer ${owner.token}` } });
  assert.equal(response.status, 200);
  return response;
}

withOwner("[B5] [B21] an export of many pages has each row once, in order, as JSON and as CSV", async (scene) => {
  const { group, request, ids } = await filled(scene, 3456);
  const path = `/podcast/${request}/links/export`;
  assert.deepEqual(idsOf((await scene.api("GET", path)).body.links), ids);
  const csv = (await scene.api("GET", path, { query: { format: "csv" } })).text;
  assert.deepEqual(idsOf(parse(csv, { columns: true })), ids);

  const { rows } = await scene.store.raw("select username from manager.accounts where group_id = $1 order by created_at, id", [group]);
  const { accounts } = (await scene.api("GET", `/groups/${group}/export`)).body;
  assert.deepEqual(
    accounts.map(({ username }: { username: string }) => ({ username })),
    rows,
  );
});

withOwner("[B5] [B19] [B21] an export of nothing is one, too", async (scene) => {
  const { group, request } = await filled(scene, 0);
  assert.deepEqual((await scene.api("GET", `/podcast/${request}/links/export`)).body, { links: [] });
  assert.deepEqual((await scene.api("GET", `/groups/${group}/export`)).body, { name: "G", service_type: "podcast", accounts: [] });
  const csv = (await scene.api("GET", `/groups/${group}/export`, { query: { format: "csv" } })).text;
  assert.equal(csv, "website,username,email,note,active\r\n");
  assert.deepEqual((await scene.api("POST", "/requests/export", { json: { ids: [randomUUID()] } })).body, { requests: [] });
});

/** So long that an answer of 1,500 rows can't wait in the buffers of a connection. */
const LONG = 12_000;

withOwner("[B21] what is there from the beginning to the end comes once, whatever is added and deleted meanwhile", async (scene) => {
  const { request, ids } = await filled(scene, 1500, LONG);
  const response = await begun(scene, `/podcast/${request}/links/export`);
  const gone = new Set(ids.filter((_, at) => at % 3 === 0));
  await scene.store.raw("delete from manager.links where id = any($1)", [[...gone]]);
  await scene.store.raw(
    `insert into manager.links (id, request_id, account_id, kind, site, state, started_by, priority, episodes, link_post, note,
        error_message, retry_count, max_retries, created_at, updated_at)
      select gen_random_uuid(), request_id, account_id, 'secondary', site, 'failed', '[]', 0, '[]', '', '', '', 0, 3, created_at, updated_at
      from manager.links where request_id = $1`,
    [request],
  );
  const found = idsOf(((await response.json()) as { links: { id: string }[] }).links);
  assert.equal(new Set(found).size, found.length);
  const all = new Set(ids);
  const [staid, known] = [ids.filter((id) => !gone.has(id)), found.filter((id) => all.has(id))];
  assert.deepEqual(
    known.filter((id) => !gone.has(id)),
    staid,
  );
  assert.ok(known.length < ids.length, "it was all sent before anything was deleted, so this shows nothing");
});

withOwner("[B5] [B21] an export that breaks off in the middle does not look whole", async (scene) => {
  const { group, request } = await filled(scene, 1500, LONG);
  for (const path of [`/podcast/${request}/links/export`, `/groups/${group}/export?format=csv`]) {
    const response = await begun(scene, path);
    await scene.store.raw("alter table manager.accounts rename to elsewhere");
    await assert.rejects(response.text(), /terminated/);
    await scene.store.raw("alter table manager.elsewhere rename to accounts");
  }
});

withOwner("[B21] an export that nobody reads holds up nobody, also one that nobody takes away", async (scene) => {
  const { request } = await filled(scene, 1500, LONG);
  // More than the database has connections for us.
  const open = [];
  for (let at = 0; at < 11; at += 1) open.push(await begun(scene, `/podcast/${request}/links/export`));
  assert.equal((await scene.api("GET", "/groups")).status, 200);
  for (const response of open) await response.body?.cancel();
});

withOwner("[B5] [B21] [secrets] an export is in the audit log before its first byte", async (scene) => {
  const { group, request } = await filled(scene, 1500, LONG);
  const token = await scene.login(scene.owner.email, scene.owner.password, "secrets:read");
  const logged = async (): Promise<unknown[]> =>
    (await scene.store.raw("select action, what, how_many from manager.audit where action ~ 'export|secrets' order by id")).rows;
  await scene.store.raw(
    "update manager.accounts set password = 'v1.x' where id in (select id from manager.accounts where group_id = $1 limit 7)",
    [group],
  );
  const seen = { ...scene, owner: { ...scene.owner, token } };
  for (const path of [`/groups/${group}/export`, `/podcast/${request}/links/export`]) {
    const response = await begun(seen, path);
    await response.body?.cancel();
  }
  assert.deepEqual(await logged(), [
    { action: "secrets.read", what: `group ${group} (G)`, how_many: 7 },
    { action: "accounts.export", what: `group ${group} (G)`, how_many: 1500 },
    { action: "secrets.read", what: `links of request ${request}`, how_many: 7 },
    { action: "links.export", what: `links of request ${request}`, how_many: 1500 },
  ]);
  await scene.store.raw("alter table manager.audit rename to elsewhere");
  const refused = await scene.api("GET", `/groups/${group}/export`);
  assert.deepEqual([refused.status, refused.body.code], [500, "internal"]);
});

withOwner("[B19] [B21] a spreadsheet takes no cell of links and requests for a formula", async (scene) => {
  const { group, request } = await filled(scene, 1);
  const [cells] = parse<Record<string, string>>(
    (await scene.api("GET", `/podcast/${request}/links/export`, { query: { format: "csv" } })).text,
    {
      columns: true,
    },
  );
  assert.deepEqual([cells?.["error_message"], cells?.["username"]], ["'=cmd()", "u-1"]);
  assert.equal((await scene.api("GET", `/podcast/${request}/links/export`)).body.links[0].error_message, "=cmd()");

  for (const name of ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "plain"]) {
    await scene.store.raw("update manager.requests set name = $1, priority = -5 where id = $2", [name, request]);
    const answer = await scene.api("POST", "/requests/export", { query: { format: "csv" }, json: { ids: [request] } });
    const [row] = parse<Record<string, string>>(answer.text, { columns: true });
    assert.deepEqual([row?.["name"], row?.["priority"], row?.["config"]], [name === "plain" ? name : `'${name}`, "-5", "{}"]);
  }
  // Accounts are imported again: there each cell is what it is.
  await scene.store.raw("update manager.accounts set note = '=cmd()'");
  const csv = (await scene.api("GET", `/groups/${group}/export`, { query: { format: "csv" } })).text;
  assert.equal(csv, "website,username,email,note,active\r\nstudio.example.com,u-1,,=cmd(),true\r\n");
});
