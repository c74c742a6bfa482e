import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc; Linux has had 100 for its users since ever. */
const TICKS = 100;
const PAGE_BYTES = 4096;

export interface Usage {
  /** Of all living processes of the tree, and of those that they have waited for, s. */
  cpuSeconds: number;
  /** Resident memory of the tree at this moment; pages that processes share count for each, bytes. */
  residentBytes: number;
}

/** Sums a process and all that descend from it. */
export function usageOfTree(root: number): Usage {
  const all = new Map<number, { parent: number; ticks: number; pages: number }>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const fields = stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .map(Number);
      const [parent = 0] = fields.slice(1);
      const ticks = fields.slice(11, 15).reduce((sum, part) => sum + part, 0);
      all.set(Number(entry), { parent, ticks, pages: fields[21] ?? 0 });
    } catch {
      // It ended while we read.
    }
  }
  const descends = (pid: number): boolean => pid === root || (all.has(pid) && descends(all.get(pid)?.parent ?? 0));
  const tree = [...all].filter(([pid]) => descends(pid)).map(([, one]) => one);
  return {
    cpuSeconds: tree.reduce((sum, one) => sum + one.ticks, 0) / TICKS,
    residentBytes: tree.reduce((sum, one) => sum + one.pages, 0) * PAGE_BYTES,
  };
}
