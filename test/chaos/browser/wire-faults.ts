import type { Fault } from "../support/tcp-proxy.ts";

/** Every kind of fault, as each edge is hit by it. */
export const faults: readonly Fault[] = [
  { kind: "refuse", forMs: 1500 },
  { kind: "reset before" },
  { kind: "reset after" },
  { kind: "black hole" },
  { kind: "cut", afterBytes: 200 },
  { kind: "slow", overMs: 2000 },
  { kind: "twice" },
  { kind: "drop" },
];

const cuts = [200, 1, 17, 400, 700, 1200, 40, 90, 2000, 300] as const;

/** Cut at another place each round. */
export function vary(fault: Fault, round: number): Fault {
  return fault.kind === "cut" ? { ...fault, afterBytes: cuts[round % cuts.length] ?? 200 } : fault;
}
