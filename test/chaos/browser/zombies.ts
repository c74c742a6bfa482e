import { readdirSync, readFileSync } from "node:fs";

/** A child that has ended is a zombie until its parent's next turn; what stays longer was forgotten. */
const MOMENT_MS = 3000;
const LOOK_MS = 250;

interface Entry {
  parent: number;
  state: string;
  name: string;
}

function processTable(): Map<number, Entry> {
  const table = new Map<number, Entry>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const behind = stat.lastIndexOf(")");
      const [state = "", parent = "0"] = stat.slice(behind + 2).split(" ");
      table.set(Number(pid), { state, parent: Number(parent), name: stat.slice(stat.indexOf("(") + 1, behind) });
    } catch {
      // It is gone.
    }
  }
  return table;
}

/** Watches all that descends from a process, until it is stopped. */
export interface ZombieWatch {
  /** Those that were left standing, as "pid name". */
  forgotten(): string[];
  stop(): void;
}

export function watchZombies(ancestor: number): ZombieWatch {
  const standing = new Map<number, { since: number; parent: number; name: string }>();
  const forgotten = new Map<number, string>();
  const look = (): void => {
    const [table, now] = [processTable(), performance.now()];
    const descends = (pid: number): boolean => {
      const parent = table.get(pid)?.parent ?? 0;
      return parent === ancestor || (parent > 1 && descends(parent));
    };
    for (const [pid, { parent }] of standing) {
      if (table.get(pid)?.state === "Z") continue;
      standing.delete(pid);
      // Taken late, by a parent that had little of the machine, is taken. With its parent's end any entry goes.
      if (table.has(parent)) forgotten.delete(pid);
    }
    for (const [pid, { state, name, parent }] of table) {
      if (state !== "Z" || !descends(pid)) continue;
      const one = standing.get(pid) ?? { since: now, parent, name };
      standing.set(pid, one);
      if (now - one.since > MOMENT_MS) forgotten.set(pid, `${pid} ${name} of ${table.get(parent)?.name ?? parent}`);
    }
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    forgotten() {
      look();
      return [...forgotten.values()];
    },
    stop: () => clearInterval(timer),
  };
}
