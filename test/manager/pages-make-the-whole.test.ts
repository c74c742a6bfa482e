import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { accountStatuses, linkStatuses } from "../../src/contract/backlink-api.ts";
import { taskStates } from "../../src/contract/states.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

const RUNS = 12;
const sorts = ["created_at", "status", "site_name", "retry_count", "started_at", "completed_at"] as const;
const searches = ["", "a", "EXAMPLE", "user-1", "%", "_"] as const;

interface Row {
  id: string;
}
type Query = Record<string, string | number>;
type Ask = (query: Query) => Promise<{ data: Row[]; total: number }>;

/** All pages of a list, one after another: each row comes once, and every page says the same total. */
async function whole<T extends Row>(ask: (query: Query) => Promise<{ data: T[]; total: number }>, query: Query): Promise<T[]> {
  const rows: T[] = [];
  for (let page = 1; ; page++) {
    const { data, total } = await ask({ ...query, page });
    rows.push(...data);
    if (data.length > 0 && rows.length < total) continue;
    assert.equal(rows.length, total, JSON.stringify(query));
    assert.equal(new Set(rows.map(({ id }) => id)).size, total, JSON.stringify(query));
    const beyond = await ask({ ...query, page: page + 1 });
    assert.deepEqual([beyond.data, beyond.total], [[], total]);
    return rows;
  }
}

const holds = (search: string, ...texts: string[]): boolean => texts.some((text) => text.toLowerCase().includes(search.toLowerCase()));
const ids = (rows: readonly Row[]): string[] => rows.map(({ id }) => id).toSorted();

/** A group with accounts and a request with links, in all states and on both sides of every moment that matters. */
async function given({ store, owner, clock }: OwnerScene): Promise<{ group: string; request: string }> {
  const [group, request, now] = [randomUUID(), randomUUID(), new Date(clock.now())];
  await store.raw(
    `insert into manager.groups (id, user_id, name, service_type, status, created_at, updated_at) values ($1, $2, 'Tea', 'social', 'active', $3, $3)`,
    [group, owner.id, now],
  );
  await store.raw(
    `insert into manager.accounts (id, group_id, site, login, username, email, password, pass_mail, twofa, app_password, api_token, cookie, link_rss, status, note, created_at, updated_at)
      select gen_random_uuid(), $1, chr(97 + i % 7) || '.example.com', 'user-' || i, 'user-' || i, '', '', '', '', '', '', '', '',
        (array['active', 'inactive', 'unsupported', 'failed'])[1 + i % 4], case when i % 9 = 0 then '100%' else '' end, $2::timestamptz - (i % 6) * interval '1 s', $2
      from generate_series(1, 60) i`,
    [group, now],
  );
  await store.raw(
    `insert into manager.requests (id, user_id, group_id, service_type, type_request, name, website, auction_price, target, priority, config, data, folder_urls, status, created_at, updated_at, started_at)
      values ($1, $2, $3, 'social', 'social', 'Campaign', '', 1, 100, 0, '{}', '{}', '{}', 'running', $4, $4, $4)`,
    [request, owner.id, group, now],
  );
  await store.raw(
    `insert into manager.links (id, request_id, account_id, kind, site, state, holder, lease_until, next_at, started_by, priority, episodes, link_post, note, error_message, retry_count, max_retries, created_at, updated_at, started_at, completed_at)
      select gen_random_uuid(), $1, a.id, case when a.i % 6 = 0 then 'secondary' else 'primary' end, a.site, a.state, '',
        case when a.state in ('claimed', 'running', 'needs_person', 'unsure') and a.i % 4 > 0 then $3::timestamptz + (a.i % 4 - 2) * interval '1 minute' end,
        case when a.i % 3 = 0 then $3::timestamptz + (a.i % 5 - 2) * interval '1 minute' end, '[]', 0, '[]', '', '', '', a.i % 3, 3,
        $3::timestamptz - (a.i % 5) * interval '1 s', $3, case when a.i % 5 > 1 then $3::timestamptz - (a.i % 11) * interval '1 s' end,
        case when a.state = 'completed' and a.i % 2 = 0 then $3::timestamptz - (a.i % 3) * interval '1 s' end
      from (select b.*, (array['waiting', 'claimed', 'running', 'needs_person', 'unsure', 'completed', 'failed', 'canceled', 'waiting'])[1 + i % 9] as state
        from (select id, site, (row_number() over (order by id))::int as i from manager.accounts where group_id = $2) b) a`,
    [request, group, now],
  );
  return { group, request };
}

/** Absent comes last in both directions. */
function comesBefore(a: string | number | null, b: string | number | null, order: "asc" | "desc"): boolean {
  if (a === null || b === null) return b === null;
  return order === "asc" ? a <= b : a >= b;
}

withOwner("[B20] the pages of links make the whole, by every order and filter", async (scene) => {
  const { request } = await given(scene);
  const ask = async (query: Query) => scene.ask("listLinks", { params: { type: "social", id: request }, query });
  const all = await whole(ask, { limit: 100 });
  assert.equal(all.length, 60);
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set(linkStatuses));
  const query = fc.record({
    sort: fc.constantFrom(...sorts),
    order: fc.constantFrom("asc" as const, "desc" as const),
    status: fc.constantFrom("" as const, ...linkStatuses),
    search: fc.constantFrom(...searches),
    limit: fc.constantFrom(3, 7, 20, 60),
  });
  await fc.assert(
    fc.asyncProperty(query, async ({ sort, order, status, search, limit }) => {
      const rows = await whole(ask, { sort, order, status, search, limit });
      const chosen = all.filter(
        (link) =>
          (status === "" || link.status === status) &&
          (search === "" || holds(search, link.site_name, link.link_post, link.email, link.username)),
      );
      assert.deepEqual(ids(rows), ids(chosen));
      rows.slice(1).forEach((row, index) => assert.ok(comesBefore(rows[index]![sort], row[sort], order), `${sort} ${order}`));
      const again = await whole(ask, { sort, order, status, search, limit: 100 });
      assert.deepEqual(rows, again);
    }),
    { numRuns: RUNS },
  );
});

withOwner("[B3] [B8] [B16] the pages of accounts, groups and requests make the whole", async (scene) => {
  const groups = [await given(scene), await given(scene), await given(scene)];
  const { group } = groups[0]!;
  const accounts = async (query: Query) => scene.ask("listAccounts", { params: { id: group }, query });
  const all = await whole(accounts, { limit: 100 });
  assert.equal(all.length, 60);
  const query = fc.record({
    status: fc.constantFrom("" as const, ...accountStatuses),
    search: fc.constantFrom(...searches),
    limit: fc.constantFrom(4, 20, 60),
  });
  await fc.assert(
    fc.asyncProperty(query, async ({ status, search, limit }) => {
      const rows = await whole(accounts, { status, search, limit });
      const chosen = all.filter(
        (one) => (status === "" || one.status === status) && holds(search, one.website, one.username, one.email, one.note),
      );
      assert.deepEqual(rows, chosen);
    }),
    { numRuns: RUNS },
  );
  const lists: Ask[] = [
    async (some) => scene.ask("listGroups", { query: some }),
    async (some) => scene.ask("listRequests", { params: { type: "social" }, query: some }),
    async (some) => scene.ask("listProjects", { query: some }),
  ];
  for (const list of lists) for (const limit of [1, 2, 3]) assert.equal((await whole(list, { limit })).length, 3);
  const { data } = await scene.ask("listGroups", { query: { min_active: 15 } });
  assert.deepEqual(
    data.map(({ account_count, account_active }) => [account_count, account_active]),
    [
      [60, 15],
      [60, 15],
      [60, 15],
    ],
  );
  assert.equal((await scene.ask("listGroups", { query: { min_active: 16 } })).total, 0);
});

const recount = `select of_id::text, word, sum(n)::int as n from manager.tallies group by of_id, word having sum(n) <> 0 order by 1, 2`;
const counted = `select * from (select request_id::text as of_id, phase as word, count(*)::int as n from manager.links group by 1, 2
  union all select group_id::text, status, count(*)::int from manager.accounts group by 1, 2) c order by 1, 2`;

withOwner("[B20] [B8] the counters are what counting finds, whatever happened", async ({ store, clock, ...scene }) => {
  const made = [await given({ store, clock, ...scene }), await given({ store, clock, ...scene })];
  const isSame = async (): Promise<void> => assert.deepEqual((await store.raw(recount)).rows, (await store.raw(counted)).rows);
  await isSame();
  const [{ group, request }] = made as [{ group: string; request: string }];
  const some = `(select id from manager.links where request_id = $1 order by md5(id::text || $2) limit $3)`;
  const move = fc.record({
    state: fc.constantFrom(...taskStates),
    nextAt: fc.boolean(),
    account: fc.constantFrom(...accountStatuses),
    seed: fc.string({ minLength: 3, maxLength: 3, unit: fc.constantFrom("a", "b", "c") }),
    count: fc.integer({ min: 0, max: 60 }),
    isDeleted: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 5, maxLength: 12 }), async (moves) => {
      for (const { state, nextAt, account, seed, count, isDeleted } of moves) {
        await store.raw(`update manager.links set state = $4, next_at = ${nextAt ? "now()" : "null"} where id in ${some}`, [
          request,
          seed,
          count,
          state,
        ]);
        await store.raw(`update manager.accounts set status = $3 where group_id = $1 and md5(id::text || $2) < 'a'`, [
          group,
          seed,
          account,
        ]);
        if (isDeleted) await store.raw(`delete from manager.links where id in ${some}`, [request, seed, count % 2]);
      }
      await isSame();
    }),
    { numRuns: RUNS },
  );
  await Promise.all(
    made.flatMap(({ request: id }) =>
      taskStates.map(async (state, index) => {
        for (let turn = 0; turn < 5; turn++)
          await store.raw(
            `update manager.links set state = $2 where id in (select id from manager.links where request_id = $1 and substr(id::text, 1, 1) = $3 order by id for update skip locked)`,
            [id, state, ((index + turn) % 16).toString(16)],
          );
      }),
    ),
  );
  await isSame();
  const { rows } = (await store.raw(`select max(n)::int as longest from (select count(*) as n from manager.tallies group by of_id) t`)) as {
    rows: { longest: number }[];
  };
  assert.ok(rows[0]!.longest <= 200, `${rows[0]!.longest} rows are added up for one number`);
  await store.raw("delete from manager.requests where id = $1", [request]);
  await isSame();
  await store.raw("delete from manager.groups where id = $1", [group]);
  await isSame();
  await store.raw("delete from manager.users where id = $1", [scene.owner.id]);
  assert.deepEqual((await store.raw("select * from manager.tallies")).rows, []);
});
