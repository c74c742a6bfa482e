import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { accountStatuses, linkStatuses } from "../../src/contract/backlink-api.ts";
import { listAccounts } from "../../src/manager/backlink/list-accounts.ts";
import { listGroups } from "../../src/manager/backlink/groups.ts";
import { listLinks } from "../../src/manager/backlink/links.ts";
import { listProjects, listRequests, readRequest } from "../../src/manager/backlink/requests.ts";
import { readStats } from "../../src/manager/backlink/stats.ts";
import type { Owned } from "../../src/manager/backlink/tenant.ts";
import { managerMigrations } from "../../src/manager/migrations.ts";
import type { ManagerTables } from "../../src/manager/tables.ts";
import { postgresTypes } from "../../src/store/row-types.ts";
import { openVault } from "../../src/store/vault.ts";
import { postgresMissing } from "../support/postgres.ts";
import { givenPostgres } from "../support/store.ts";

const ROWS = 20_000;
/** A page, and of links that are held or delayed a few hundred more, to tell what their status is at the moment. */
const MOST_ROWS = 1200;
const now = new Date(Date.UTC(2026, 10, 21, 8));

/** Of EXPLAIN ANALYZE's JSON. */
interface Plan {
  "Node Type": string;
  "Relation Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: Plan[];
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

test(
  "[B1] [B3] [B8] [B16] [B17] [B20] [B25] a list or count of 20,000 rows looks at no more than 1,200: indexes and counters serve all",
  { skip: postgresMissing ?? false },
  async (t) => {
    const { store, dataDir, databaseUrl } = await givenPostgres(t);
    await store.migrate("manager", managerMigrations);
    const [tenant, group, request] = [randomUUID(), randomUUID(), randomUUID()];
    const who: Owned = { ...({ tenant, reveals: false } as Owned) };
    await seed(store.raw, { tenant, group, request });

    const pool = new pg.Pool({ connectionString: databaseUrl, types: postgresTypes });
    const issued: { text: string; values: readonly unknown[] }[] = [];
    const db = new Kysely<ManagerTables>({
      dialect: new PostgresDialect({ pool }),
      log: ({ query }) =>
        void (query.sql.startsWith("select") || query.sql.startsWith("with")
          ? issued.push({ text: query.sql, values: query.parameters })
          : null),
    }).withSchema("manager");
    t.after(async () => db.destroy());

    /** What the list asked the database for, and what that did about it. */
    const explain = async (what: string, list: () => Promise<unknown>): Promise<void> => {
      issued.length = 0;
      await list();
      const queries = [...issued];
      assert.ok(queries.length > 0);
      for (const { text, values } of queries) {
        const { rows } = await pool.query(`explain (analyze, format json) ${text}`, [...values]);
        const nodes = nodesOf((rows[0]["QUERY PLAN"] as { Plan: Plan }[])[0]!.Plan);
        for (const node of nodes) {
          const table = node["Relation Name"] ?? "";
          if (table !== "links" && table !== "accounts") continue;
          const seen = (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"];
          const said = `${what}: ${node["Node Type"]} on ${table} reads ${seen} rows for\n${text}`;
          assert.match(node["Node Type"], /Index|Bitmap Heap/, said);
          assert.ok(seen <= MOST_ROWS, said);
        }
      }
    };

    const parts = { db, vault: openVault({ dataDir, embedded: true }), now };
    const paging = { page: 1, limit: 20, search: "" };
    for (const sort of ["created_at", "status", "site_name", "retry_count", "started_at", "completed_at"] as const)
      for (const order of ["asc", "desc"] as const)
        for (const status of [null, ...linkStatuses])
          await explain(`links by ${sort} ${order}, ${status}`, async () =>
            listLinks(parts, who, { id: request, type: "social" }, { ...paging, sort, order, status }),
          );
    for (const status of [null, ...accountStatuses])
      await explain(`accounts, ${status}`, async () => listAccounts(db, tenant, group, { ...paging, status }));
    for (const min_active of [0, 1])
      await explain("groups", async () => listGroups(db, tenant, { ...paging, service_type: null, status: null, min_active }));
    await explain("stats", async () => readStats(db, tenant, null, now));
    await explain("request", async () => readRequest(db, { tenant, type: null, id: request }));
    await explain("requests", async () =>
      listRequests(db, tenant, "social", { ...paging, status: null, sort: "created_at", order: "desc" }),
    );
    await explain("projects", async () => listProjects(db, tenant, { ...paging, status: null, type: null, type_request: "" }));
  },
);

/** A request with links in all states, leases and delays on both sides of now; and another one's, which is as long. */
async function seed(
  raw: (text: string, values?: unknown[]) => Promise<unknown>,
  { tenant, group, request }: Record<"tenant" | "group" | "request", string>,
): Promise<void> {
  await raw(`insert into manager.users (id, email, role, created_at) values ($1, 'owner@example.com', 'owner', $2)`, [tenant, now]);
  for (const [id, ofRequest] of [
    [group, request],
    [randomUUID(), randomUUID()],
  ]) {
    await raw(
      `insert into manager.groups (id, user_id, name, service_type, status, created_at, updated_at) values ($1, $2, 'Tea', 'social', 'active', $3, $3)`,
      [id, tenant, now],
    );
    await raw(
      `insert into manager.accounts (id, group_id, site, login, username, email, password, pass_mail, twofa, app_password, api_token, cookie, link_rss, status, note, created_at, updated_at)
        select gen_random_uuid(), $1, 's' || i % 500 || '.example.com', 'user-' || i, 'user-' || i, '', '', '', '', '', '', '', '',
          (array['active', 'active', 'failed', 'unsupported', 'inactive'])[1 + i % 5], '', $2, $2 from generate_series(1, ${ROWS}) i`,
      [id, now],
    );
    await raw(
      `insert into manager.requests (id, user_id, group_id, service_type, type_request, name, website, auction_price, target, priority, config, data, folder_urls, status, created_at, updated_at, started_at)
        values ($1, $2, $3, 'social', 'social', 'Campaign', '', 1, ${ROWS}, 0, '{}', '{}', '{}', 'running', $4, $4, $4)`,
      [ofRequest, tenant, id, now],
    );
    await raw(
      `insert into manager.links (id, request_id, account_id, kind, site, state, holder, lease_until, next_at, started_by, priority, episodes, link_post, note, error_message, retry_count, max_retries, created_at, updated_at, started_at, completed_at)
        select gen_random_uuid(), $1, a.id, 'primary', a.site, a.state, '', case when a.state in ('claimed', 'running', 'needs_person', 'unsure') then $3::timestamptz + (case when a.i % 50 = 0 then -1 else 1 end) * interval '1 hour' end,
          case when a.state = 'waiting' and a.i % 3 = 0 then $3::timestamptz + (case when a.i % 50 = 0 then 1 else -1 end) * interval '1 hour' end, '[]', 0, '[]', '', '', '', a.i % 4, 3, $3, $3,
          case when a.i % 5 > 1 then $3::timestamptz - a.i * interval '1 s' end, case when a.state = 'completed' then $3 end
        from (select b.*, (array['waiting', 'claimed', 'running', 'needs_person', 'unsure', 'completed', 'failed', 'canceled'])[1 + i * 7919 % 8] as state
          from (select id, site, (row_number() over (order by id))::int as i from manager.accounts where group_id = $2) b) a`,
      [ofRequest, id, now],
    );
  }
  await raw("vacuum analyze");
}
