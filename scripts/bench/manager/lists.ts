import { linkStatuses } from "../../../src/contract/backlink-api.ts";
import { onlyStatuses, type Call, type LoadOutcome } from "./load.ts";
import { compared, type Row } from "./report.ts";
import type { Scene } from "./scene.ts";
import type { Seeded } from "./seed.ts";
import type { Sizes } from "./sizes.ts";

/** What was measured of each list, or pull, by its name. */
export type Outcomes = ReadonlyMap<string, LoadOutcome>;

const sorts = ["status", "site_name", "retry_count", "started_at", "completed_at"] as const;

/** Lists of 20, by what people see of them. */
function lists({ requestId, groupId }: Seeded): Record<string, string> {
  const links = `/podcast/${requestId}/links`;
  return {
    links,
    ...Object.fromEntries(linkStatuses.map((status) => [`links, ${status}`, `${links}?status=${status}`])),
    "links, oldest first": `${links}?order=asc`,
    ...Object.fromEntries(sorts.map((sort) => [`links by ${sort}`, `${links}?sort=${sort}&order=asc`])),
    "links, page 50": `${links}?page=50`,
    accounts: `/groups/${groupId}/accounts`,
    groups: "/groups",
    requests: "/podcast",
    projects: "/projects",
    stats: "/stats",
    "stats of a type": "/podcast/stats",
  };
}

/** One call after another: how long people wait for a page, not how many of them can. */
export async function callLists(scene: Scene, seeded: Seeded, sizes: Sizes): Promise<Outcomes> {
  const outcomes = new Map<string, LoadOutcome>();
  for (const [name, path] of Object.entries(lists(seeded))) {
    const call: Call = { path: `/api/v1/backlink${path}`, headers: seeded.owner.headers };
    const job = { url: scene.manager.url, calls: [call], connections: 1, seconds: sizes.listSeconds };
    await scene.load.run({ ...job, count: 3 });
    const outcome = await scene.load.run({ ...job, count: sizes.listCalls });
    onlyStatuses(outcome, 200);
    outcomes.set(name, outcome);
  }
  return outcomes;
}

/** Pulls by as many farms, so that each gets tasks that are new. */
export async function callPulls({ manager, load }: Scene, label: string, sizes: Sizes): Promise<Outcomes> {
  const { key } = await manager.keys.create({ name: label });
  const calls = Array.from({ length: sizes.pulls }, (_, index) => ({
    path: "/api/v1/podcast/links?type=primary&limit=5",
    headers: { "x-api-key": key, "x-worker-id": `${label}-${index}` },
  }));
  const outcome = await load.run({ url: manager.url, calls, connections: 1, count: calls.length, seconds: sizes.listSeconds });
  onlyStatuses(outcome, 200);
  return new Map([["pull of 5 tasks", outcome]]);
}

/** The same among many links and among few. */
export function compareLists({ backend }: Scene, { fewLinks, manyLinks }: Sizes, few: Outcomes, many: Outcomes): Row[] {
  return [...many].flatMap(([name, outcome]) => {
    const before = few.get(name);
    return before ? [compared(name, backend, { links: manyLinks[backend], outcome }, { links: fewLinks, outcome: before })] : [];
  });
}
