import { cpus } from "node:os";
import { table } from "../../../src/cli/table.ts";
import type { Store } from "../../../src/store/store.ts";
import type { LoadOutcome } from "./load.ts";

/** One thing that was measured on one backend. */
export interface Row {
  what: string;
  backend: Store["backend"];
  /** Of whatever `what` counts. */
  perSecond?: number;
  p50Ms?: number;
  p99Ms?: number;
  /** To what the field `of` names, in this very run. */
  ratio?: number;
  of?: string;
  /** In credits: how far a balance ever was below zero. */
  overspent?: number;
  note?: string;
  goal?: string;
  /** The goal is. */
  met?: boolean;
}

const LIST_GOALS = { p99Ms: 50, ratio: 2 } as const;

interface Among {
  links: number;
  outcome: LoadOutcome;
}

/** How long something takes among many links, and how many times as long as among few, going by the medians. */
export function compared(what: string, backend: Store["backend"], many: Among, few: Among): Row {
  const { p50Ms, p99Ms } = many.outcome;
  const ratio = p50Ms / few.outcome.p50Ms;
  const links = (count: number): string => `${count.toLocaleString("en")} links`;
  return {
    what,
    backend,
    p50Ms,
    p99Ms,
    ratio,
    of: links(few.links),
    goal: `p99 <= ${LIST_GOALS.p99Ms} ms, <= ${LIST_GOALS.ratio}×`,
    met: p99Ms <= LIST_GOALS.p99Ms && ratio <= LIST_GOALS.ratio,
    note: `${links(many.links)}; among few p50 ${few.outcome.p50Ms.toFixed(1)}, p99 ${few.outcome.p99Ms.toFixed(1)} ms`,
  };
}

const names = { pglite: "PGlite", postgres: "PostgreSQL" } as const;

/** For people. Ratios are within this run; all else is this machine's. */
export function renderRows(rows: readonly Row[], notes: readonly string[]): string {
  const number = (value: number | undefined, digits: number): string =>
    value === undefined ? "" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const things = [...new Set(rows.map(({ what }) => what))];
  const together = things.flatMap((thing) => rows.filter(({ what }) => what === thing));
  const lines = together.map(({ what, backend, perSecond, p50Ms, p99Ms, ratio, of, goal, met, note = "" }) => [
    what,
    names[backend],
    number(perSecond, 0),
    number(p50Ms, 1),
    number(p99Ms, 1),
    ratio === undefined ? "" : `${ratio.toFixed(2)}× ${of}`,
    goal ?? "",
    met === undefined ? "" : met ? "ok" : "missed",
    note,
  ]);
  return [
    `${cpus().length} cores, Node ${process.versions.node}; ${["the load generator is a process beside the manager", ...notes].join("; ")}`,
    "",
    table([["", "", "a second", "p50 ms", "p99 ms", "ratio", "goal", "", ""], ...lines]),
  ].join("\n");
}
