import { readdirSync, readFileSync } from "node:fs";

interface Process {
  pid: number;
  parent: number;
  name: string;
}

function allProcesses(): Map<number, Process> {
  const all = new Map<number, Process>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      all.set(Number(entry), { pid: Number(entry), name, parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) });
    } catch {
      // It ended while we read.
    }
  }
  return all;
}

/** All processes that descend from one, zombies included. */
export function childProcesses(ancestor: number): Process[] {
  const all = allProcesses();
  const descends = (one: Process | undefined): boolean => one !== undefined && (one.parent === ancestor || descends(all.get(one.parent)));
  return [...all.values()].filter((one) => descends(one));
}

/** Those of some processes that still live under the same name. */
export function stillAlive(some: readonly Process[]): Process[] {
  const all = allProcesses();
  return some.filter(({ pid, name }) => all.get(pid)?.name === name);
}

/** Browser processes that descend from this one, zombies included. */
export function browserProcesses(): number[] {
  return childProcesses(process.pid)
    .filter(({ name }) => /chrom|headless_shell/.test(name))
    .map(({ pid }) => pid);
}
