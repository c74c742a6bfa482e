import { Kysely } from "kysely";
import type { Store } from "../../src/store/store.ts";
import type { Database, Snapshot } from "./database.ts";
import { farmDialect } from "./farm-dialect.ts";
import { never, type Machine } from "./machine.ts";
import type { Mischief } from "./mischief.ts";
import type { Dice } from "./random.ts";

/** What survives a power cut: PGlite keeps what was flushed, and perhaps more. */
export interface Durability {
  /** True: a seed cuts the power, so copies are kept. */
  keepsCopies: boolean;
  /** States that the disk may hold, the oldest is the last that was surely flushed. */
  copies: Snapshot[];
}

export interface FarmStoreOptions {
  machine: Machine;
  database: Database;
  mischief: Mischief;
  dice: Dice;
  backend: Store["backend"];
  durability: Durability;
  /** Everything that this farm has committed is on the disk now. */
  onFlushed(machine: Machine): void;
}

/** The store as one farm sees it: the shared database behind a way that can be slow, fail, or outlive its user. */
export function farmStore(options: FarmStoreOptions): Store {
  const { machine, database, mischief, dice, backend, durability, onFlushed } = options;
  let stallMs = 0;
  const pass = async (point: Parameters<Mischief["pass"]>[1]): Promise<void> => {
    const strike = mischief.pass(machine, point);
    if (machine.dead) return never();
    if (strike?.stallMs) stallMs += strike.stallMs;
    if (strike?.error) throw strike.error;
  };
  machine.onDeath(() => database.forget(machine));
  const db = new Kysely<unknown>({
    dialect: farmDialect({
      async acquire() {
        await machine.wait(dice.chance(0.1) ? dice.skewed(1, 60) : 0);
        await database.acquire(machine);
      },
      async release() {
        database.release(machine);
        const waitMs = stallMs + (dice.chance(0.1) ? dice.skewed(1, 60) : 0);
        stallMs = 0;
        await machine.wait(waitMs);
      },
      begin: async () => database.begin(),
      async commit() {
        await pass("database:commit");
        database.commit(machine);
        await pass("database:committed");
      },
      rollback: async () => database.rollback(),
      async execute(sql, values) {
        await pass("database:statement");
        if (machine.dead) return never();
        if (sql.startsWith("select")) return database.execute(machine, sql, values);
        await pass("database:change");
        const answer = database.execute(machine, sql, values);
        await pass("database:changed");
        return answer;
      },
    }),
  });
  return {
    backend,
    // There is one part, found by the search path: naming its schema costs a tenth of a seed's time.
    part: <Tables>() => db as unknown as Kysely<Tables>,
    migrate: async () => undefined,
    migrateDown: async () => undefined,
    async flush() {
      const reached = durability.copies.at(-1);
      await pass("flush:begin");
      await machine.wait(dice.skewed(0, 15));
      // A farm killed here leaves its bytes with the kernel; only a power cut takes those.
      if (reached) durability.copies.splice(0, Math.max(0, durability.copies.indexOf(reached)));
      onFlushed(machine);
      await pass("flush:end");
    },
    raw: async (text, values = []) => {
      await database.acquire(machine);
      try {
        return database.execute(machine, text, values);
      } finally {
        database.release(machine);
      }
    },
    close: async () => undefined,
  };
}
