import type { Owner, Scene } from "./scene.ts";

/** A request with its links, its group with an account for each, and others around them. */
export interface Seeded {
  owner: Owner;
  requestId: string;
  groupId: string;
}

const OTHERS = 20;
const BATCH = 50_000;
const SITES = 500;

/** Of twenty links. Together they show every status. */
const states = Object.entries({ completed: 9, waiting: 6, failed: 3, running: 1, canceled: 1 }).flatMap(([state, times]) =>
  Array.from({ length: times }, () => state),
);

/** Rows as the manager itself would have written them, but by the thousand. */
export async function seedLinks(scene: Scene, name: string, links: number): Promise<Seeded> {
  const { store, say } = scene;
  const owner = await scene.addOwner(name, 1_000_000_000);
  const { requests, accounts } = owner.client;
  for (let number = 0; number < OTHERS; number += 1) {
    await accounts.createGroup({ body: { name: `group ${number}`, service_type: "podcast" } });
    await requests.createRequest({ params: { type: "podcast" }, body: { name: `request ${number}`, auction_price: 50, target: 1 } });
  }
  await accounts.createGroup({ body: { name: "the group", service_type: "podcast" } });
  const groupId = (await accounts.listGroups({ query: { search: "the group" } })).data[0]?.id ?? "";
  const body = { name: "the request", group_id: groupId, auction_price: 50, target: links };
  const { id: requestId } = await requests.createRequest({ params: { type: "podcast" }, body });
  await store.raw("update manager.requests set status = 'running', started_at = now() where id = $1", [requestId]);
  for (let from = 1; from <= links; from += BATCH) {
    const to = Math.min(links, from + BATCH - 1);
    await store.raw(insertAccounts, [groupId, from, to, SITES]);
    await store.raw(insertLinks, [requestId, groupId, states, from, to]);
    say(`${to} of ${links} links are there`);
  }
  await store.raw("vacuum analyze");
  return { owner, requestId, groupId };
}

const insertAccounts = `insert into manager.accounts
  (id, group_id, website, site, login, username, email, password, pass_mail, twofa, app_password, api_token, cookie, link_rss, status, note,
    created_at, updated_at)
  select gen_random_uuid(), $1, 's' || i % $4::int || '.example.com', 's' || i % $4::int || '.example.com', 'u' || i, 'u' || i, '',
    '', '', '', '', '', '', '', 'active', '', now() + i * interval '1 millisecond', now()
  from generate_series($2::int, $3::int) i`;

const insertLinks = `insert into manager.links
  (id, request_id, account_id, kind, site, state, holder, started_by, lease_until, priority, episodes, link_rss, link_post, note,
    error_message, retry_count, max_retries, next_at, created_at, updated_at, started_at, completed_at)
  select gen_random_uuid(), $1, a.id, 'primary', a.site, s.state, case when s.state = 'running' then 'a/farm' end, '[]',
    case when s.state = 'running' then now() + interval '1 hour' end, 0,
    '[{"id": "ep-1", "title": "An episode", "about": "A text", "image_url": ""}]', '',
    case when s.state = 'completed' then 'https://' || a.site || '/e/' || a.login else '' end, '',
    case when s.state = 'failed' then 'The site refused the episode.' else '' end, case when s.state = 'failed' then 3 else s.i % 3 end, 3,
    case when s.state = 'waiting' and s.i % 3 = 0 then now() + interval '1 hour' end, a.created_at, now(),
    case when s.state <> 'waiting' then a.created_at end, case when s.state = 'completed' then a.created_at end
  from manager.accounts a
  cross join lateral (select i, ($3::text[])[1 + i % 20] as state from (select substr(a.login, 2)::int as i) n) s
  where a.group_id = $2 and s.i between $4::int and $5::int`;
