import assert from "node:assert/strict";
import { claimChecks } from "../../src/manager/backlink/claim-checks.ts";
import type { Caller } from "../../src/manager/caller.ts";
import { pullTasks, type PullOrder } from "../../src/manager/pull.ts";
import type { ManagerTables } from "../../src/manager/tables.ts";
import { readWorkerTasks } from "../../src/manager/worker-task.ts";
import { givenLinks, readingsOf } from "./many-links.ts";
import { withManager, type Scene } from "./support.ts";

const LIMIT = 5;
/** Accounts in another farm's hands whose other links stand first in line. */
const HELD = 20;
/**
 * Kinds, sites, ready and due ones, and what is looked at beyond the limit for when others take the first; of each whether its account
 * has another task or a check in somebody's hands.
 */
const MOST_ROWS = 3 * 2 * 2 * 3 * (LIMIT + 20 + HELD) + 100;
const sites = ["studio.example.com", "other.example.com", "third.example.com"];
const caller: Caller = { keyId: "00000000-0000-4000-8000-000000000009", worker: "farm-1", name: "farm-1", holder: "key/farm-1" };

/** Links of a farm's sites are behind ten thousand that are open as well, and that it can't have. */
async function givenCrowd(scene: Scene): Promise<void> {
  const { id: userId } = await scene.manager.users.create({ email: "owner@example.com", password: "demo-password-1", role: "owner" });
  const soon = "now() + interval '1000 years'";
  const ahead = {
    userId,
    links: 2000,
    perRequest: 1000,
    priority: "5",
    site: "(array['studio.example.com', 'other.example.com'])[1 + i % 2]",
  };
  await givenLinks(scene, { ...ahead, site: "'site-' || i || '.example.com'" });
  await givenLinks(scene, { ...ahead, next_at: soon });
  await givenLinks(scene, { ...ahead, state: "'running'", holder: "'key/farm-2'", lease_until: soon });
  await givenLinks(scene, { ...ahead, kind: "'secondary'" });
  const [paused] = await givenLinks(scene, { ...ahead, perRequest: 2000 });
  await scene.store.raw("update manager.groups set status = 'inactive' where id = (select group_id from manager.requests where id = $1)", [
    paused,
  ]);
  await scene.store.raw(`
    with r as (insert into manager.requests (id, user_id, service_type, type_request, name, website, auction_price, target, priority, config, data, folder_urls, status, created_at, updated_at, started_at)
      select gen_random_uuid(), '${userId}', 'podcast', 'podcast', 'tea', '', 0, 1000, 0, '{}', '{}', '{}', 'running', now(), now(), now() returning id)
    insert into manager.links (id, request_id, account_id, kind, site, state, started_by, priority, episodes, link_post, note, error_message, retry_count, max_retries, created_at, updated_at)
      select gen_random_uuid(), r.id, l.account_id, 'primary', l.site, 'waiting', '[]', 9, l.episodes, '', '', '', 0, 3, l.created_at, l.updated_at
      from r, (select * from manager.links where state = 'running' order by id limit ${HELD}) l`);
  await givenLinks(scene, { userId, links: 1000, perRequest: 50, site: "(array['studio.example.com', 'other.example.com'])[1 + i % 2]" });
  await givenLinks(scene, { userId, links: 100, perRequest: 50, next_at: "now() - interval '1000 years'" });
  await givenLinks(scene, {
    userId,
    links: 100,
    perRequest: 50,
    kind: "'secondary'",
    link_rss: "'https://example.com/rss'",
    state: "'claimed'",
    holder: "'key/farm-2'",
    lease_until: "now() - interval '1000 years'",
  });
  await scene.store.raw("analyze");
}

withManager("[W1] [sites] a pull reads as many rows as it hands out, for each site, however many it can't", async (scene) => {
  const { store, vault, clock } = scene;
  await givenCrowd(scene);
  const [db, now] = [store.part<ManagerTables>("manager"), new Date(clock.now())];
  const orders: PullOrder[] = [
    { kind: "primary", sites, limit: LIMIT },
    { kind: "secondary", sites, limit: LIMIT },
    { kind: null, sites, limit: LIMIT },
    { kind: "primary", sites: null, limit: LIMIT },
    { kind: null, sites: null, limit: LIMIT },
  ];
  for (const order of orders) {
    let [handed, shown] = [0, 0];
    const readings = await readingsOf(db, async (trx) => {
      const tasks = await pullTasks(trx, caller, order, now);
      handed = tasks.length;
      shown = (
        await readWorkerTasks(
          trx,
          vault,
          tasks.map(({ id }) => id),
          now,
        )
      ).length;
    });
    assert.deepEqual([handed, shown], [LIMIT, LIMIT], JSON.stringify(order));
    for (const { sql, whole, rows } of readings) {
      assert.ok(!whole.includes("links") && !whole.includes("accounts"), `${sql} reads all of ${whole.join(" and ")}`);
      assert.ok(rows <= MOST_ROWS, `${sql} looks at ${rows} rows`);
    }
  }
});

withManager("[checks] a pull of checks reads as many as it hands out, for each site, however many wait", async (scene) => {
  const { store, clock } = scene;
  await givenLinks(scene, { links: 10_000, site: "(array['studio.example.com', 'far-1.example.com', 'far-2.example.com'])[1 + i % 3]" });
  await store.raw(`
    insert into manager.account_checks (id, account_id, site, state, holder, lease_until, error_message, created_at)
      select gen_random_uuid(), id, site, case when login < 'u5' then 'waiting' else 'claimed' end, case when login < 'u5' then null else 'key/farm-2' end,
        case when login < 'u5' then null when login < 'u9' then now() + interval '1000 years' else now() - interval '1000 years' end, '', created_at
      from manager.accounts;
    analyze`);
  const [db, now] = [store.part<ManagerTables>("manager"), new Date(clock.now())];
  for (const some of [sites, null]) {
    let handed = 0;
    const readings = await readingsOf(db, async (trx) => {
      handed = (await claimChecks(trx, caller, { sites: some, limit: LIMIT }, now)).length;
    });
    assert.equal(handed, LIMIT);
    for (const { sql, whole, rows } of readings) {
      assert.deepEqual(whole, [], sql);
      assert.ok(rows <= MOST_ROWS, `${sql} looks at ${rows} rows`);
    }
  }
});
