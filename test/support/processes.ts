import { readdirSync, readFileSync } from "node:fs";

/** Browser processes that descend from this one, zombies included. */
export function browserProcesses(): number[] {
  const parents = new Map<number, { parent: number; name: string }>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      parents.set(Number(pid), { name, parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) });
    } catch {
      // It ended while we read.
    }
  }
  const descends = (pid: number): boolean => pid === process.pid || (parents.has(pid) && descends(parents.get(pid)?.parent ?? 0));
  return [...parents].filter(([pid, { name }]) => /chrom|headless_shell/.test(name) && descends(pid)).map(([pid]) => pid);
}
