import type { EventEmitter } from "node:events";
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { FarmEvents } from "./events.ts";
import type { FarmStatus } from "./status.ts";

/** Prometheus numbers of one farm, in a registry of its own. */
export function createMetrics(events: EventEmitter<FarmEvents>, status: () => FarmStatus): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ part: "farm" });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const posted = new Counter({ name: "podcrew_episodes_posted_total", help: "Episodes that this farm saw on their site", registers });
  const ended = new Counter({
    name: "podcrew_task_moves_total",
    help: "Moves of tasks by the state they came to",
    labelNames: ["state", "site"],
    registers,
  });
  const checked = new Counter({
    name: "podcrew_checks_total",
    help: "Sign-ins that were tried for the manager, by what came of it",
    labelNames: ["outcome", "site"],
    registers,
  });
  const reported = new Counter({
    name: "podcrew_reports_delivered_total",
    help: "Reports that the source took",
    labelNames: ["kind"],
    registers,
  });
  const duplicates = new Counter({
    name: "podcrew_duplicates_on_site_total",
    help: "Episodes seen twice on a site; any is an alarm",
    registers,
  });
  new Gauge({
    name: "podcrew_tasks_running",
    help: "Tasks in a worker",
    registers,
    collect() {
      this.set(status().running.filter(({ kind }) => kind !== "check").length);
    },
  });
  new Gauge({
    name: "podcrew_checks_running",
    help: "Sign-ins that are being tried for the manager",
    registers,
    collect() {
      this.set(status().running.filter(({ kind }) => kind === "check").length);
    },
  });
  new Gauge({
    name: "podcrew_tasks",
    help: "Tasks in the ledger by state",
    labelNames: ["state"],
    registers,
    collect() {
      for (const [state, count] of Object.entries(status().tasks)) this.set({ state }, count);
    },
  });
  new Gauge({
    name: "podcrew_outbox_pending",
    help: "Reports not yet delivered",
    registers,
    collect() {
      this.set(status().outbox.pending);
    },
  });
  new Gauge({
    name: "podcrew_outbox_oldest_seconds",
    help: "Age of the oldest report not yet delivered",
    registers,
    collect() {
      const { oldest } = status().outbox;
      this.set(oldest ? Math.max(0, (Date.now() - Date.parse(oldest)) / 1000) : 0);
    },
  });
  events.on("posted", () => posted.inc());
  events.on("task", ({ state, site }) => ended.inc({ state, site }));
  events.on("check", ({ state, site }) => {
    if (state === "completed" || state === "failed") checked.inc({ outcome: state === "completed" ? "works" : "fails", site });
  });
  events.on("reported", ({ report }) => reported.inc({ kind: report.kind }));
  events.on("alarm", () => duplicates.inc());
  return registry;
}
