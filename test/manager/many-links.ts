import { randomUUID } from "node:crypto";
import { CompiledQuery, type Kysely, type KyselyPlugin, type Transaction } from "kysely";
import type { ManagerTables } from "../../src/manager/tables.ts";
import type { Scene } from "./support.ts";

export interface Many {
  links: number;
  /** Of one request and one group; absent: all. */
  perRequest?: number;
  /** What the links are, by their number `i`: SQL of each column. */
  kind?: string;
  site?: string;
  state?: string;
  link_rss?: string;
  next_at?: string;
  holder?: string;
  lease_until?: string;
  priority?: string;
  /** Whose they are; absent: nobody's. */
  userId?: string;
}

/** Accounts, requests and links as the database makes them: by the ten thousand in a second. @returns the requests' ids */
export async function givenLinks({ store, clock }: Pick<Scene, "store" | "clock">, many: Many): Promise<string[]> {
  const { links, perRequest = links, userId } = many;
  const columns = { kind: "'primary'", site: "'studio.example.com'", state: "'waiting'", link_rss: "''", priority: "0", ...many };
  const now = new Date(clock.now()).toISOString();
  const requests = Array.from({ length: Math.ceil(links / perRequest) }, () => [randomUUID(), randomUUID()] as const);
  const owner = userId === undefined ? "null" : `'${userId}'`;
  for (const [requestId, groupId] of requests) {
    await store.raw(`
      insert into manager.groups (id, user_id, name, service_type, status, created_at, updated_at) values ('${groupId}', ${owner}, 'tea', 'podcast', 'active', '${now}', '${now}');
      insert into manager.requests (id, user_id, group_id, service_type, type_request, name, website, auction_price, target, priority, config, data, folder_urls, status, created_at, updated_at, started_at)
        values ('${requestId}', ${owner}, '${groupId}', 'podcast', 'podcast', 'tea', '', 0, ${perRequest}, 0, '{}', '{}', '{}', 'running', '${now}', '${now}', '${now}');
      insert into manager.accounts (id, group_id, site, login, username, email, password, pass_mail, twofa, app_password, api_token, cookie, link_rss, status, note, created_at, updated_at)
        select gen_random_uuid(), '${groupId}', ${columns.site}, 'u' || i, 'u' || i, '', '', '', '', '', '', '', '', 'active', '', '${now}', '${now}' from generate_series(1, ${perRequest}) i;
      insert into manager.links (id, request_id, account_id, kind, site, state, holder, lease_until, started_by, priority, episodes, link_rss, link_post, note, error_message, retry_count, max_retries, next_at, created_at, updated_at)
        select gen_random_uuid(), '${requestId}', a.id, ${columns.kind}, a.site, ${columns.state}, ${columns.holder ?? "null"}, ${columns.lease_until ?? "null"}, '[]', ${columns.priority}, '[{"id":"e","title":"Episode","about":"","image_url":""}]', ${columns.link_rss}, '', '', '', 0, 3, ${columns.next_at ?? "null"}, '${now}', '${now}'
        from (select id, site, substr(login, 2)::int as i from manager.accounts where group_id = '${groupId}') a`);
  }
  return requests.map(([id]) => id);
}

interface Plan {
  "Node Type": string;
  "Relation Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  Plans?: Plan[];
}

export interface Reading {
  sql: string;
  /** Tables that are read from end to end. */
  whole: string[];
  /** Rows of all tables that are looked at. */
  rows: number;
}

/** What the database reads for the queries that `run` makes, as they come out of the code. What it changes is undone. */
export async function readingsOf(
  db: Kysely<ManagerTables>,
  run: (trx: Transaction<ManagerTables>) => Promise<unknown>,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  const undone = new Error("undone");
  const queries: CompiledQuery[] = [];
  await undo(db, undone, async (trx) => run(trx.withPlugin(noting(trx, queries))));
  for (const query of queries)
    await undo(db, undone, async (trx) => {
      const explain = CompiledQuery.raw(`explain (analyze, format json) ${query.sql}`, [...query.parameters]);
      const { rows } = await trx.executeQuery<{ "QUERY PLAN": [{ Plan: Plan }] }>(explain);
      const nodes = flat(rows[0]!["QUERY PLAN"][0].Plan);
      readings.push({
        sql: query.sql,
        whole: nodes.flatMap((node) => (node["Node Type"] === "Seq Scan" ? [node["Relation Name"] ?? ""] : [])),
        rows: nodes.reduce((sum, node) => sum + rowsOf(node), 0),
      });
    });
  return readings;
}

function noting(db: Kysely<ManagerTables>, queries: CompiledQuery[]): KyselyPlugin {
  return {
    transformQuery({ node, queryId }) {
      queries.push(db.getExecutor().compileQuery(node, queryId));
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}

async function undo(db: Kysely<ManagerTables>, undone: Error, run: (trx: Transaction<ManagerTables>) => Promise<unknown>): Promise<void> {
  await db
    .transaction()
    .execute(async (trx) => {
      await run(trx);
      throw undone;
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error;
    });
}

const flat = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(flat)];

function rowsOf(node: Plan): number {
  if (node["Relation Name"] === undefined || node["Node Type"] === "ModifyTable") return 0;
  return (
    (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0)) * node["Actual Loops"]
  );
}
