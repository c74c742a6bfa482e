import type { Kysely } from "kysely";
import { Counter, Gauge, Registry } from "prom-client";
import { workerApiStatuses, taskStateToWorkerApi } from "../contract/states.ts";
import { stateAt } from "./lease.ts";
import type { ManagerTables } from "./tables.ts";

interface ManagerMetrics {
  readonly contentType: string;
  /** In the Prometheus text format. */
  text(): Promise<string>;
  countCall(action: string, status: number): void;
}

export function createMetrics(db: Kysely<ManagerTables>, now: () => number): ManagerMetrics {
  const registry = new Registry();
  const calls = new Counter({
    name: "podcrew_manager_worker_calls_total",
    help: "Calls of the worker API by what they wanted and the status they got",
    labelNames: ["action", "status"],
    registers: [registry],
  });
  new Gauge({
    name: "podcrew_manager_tasks",
    help: "Tasks by status",
    labelNames: ["status"],
    registers: [registry],
    async collect() {
      const counts = await countTasks(db, new Date(now()));
      for (const [status, count] of counts) this.set({ status }, count);
    },
  });
  return {
    contentType: registry.contentType,
    text: async () => registry.metrics(),
    countCall: (action, status) => calls.inc({ action, status: String(status) }),
  };
}

async function countTasks(db: Kysely<ManagerTables>, now: Date): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("links")
    .select(({ eb, fn }) => ["state", eb("lease_until", ">", now).as("leased"), fn.countAll<number>().as("count")])
    .groupBy(["state", "leased"])
    .execute();
  const counts = new Map<string, number>(workerApiStatuses.map((status) => [status, 0]));
  for (const { state, leased, count } of rows) {
    const status = taskStateToWorkerApi[stateAt({ state, lease_until: leased ? new Date(now.getTime() + 1) : null }, now)];
    counts.set(status, (counts.get(status) ?? 0) + count);
  }
  return counts;
}
