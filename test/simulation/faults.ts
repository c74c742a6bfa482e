import { markerOf } from "../../src/coordinator/marker.ts";
import { accountKey } from "./checker.ts";
import type { Snapshot } from "./database.ts";
import type { Machine } from "./machine.ts";
import { drawPoint, type FaultKind, type Point, type Strike, type Trap } from "./mischief.ts";
import { diceOf, type Dice } from "./random.ts";
import { SqlError } from "./wire.ts";
import { ThreadDeath } from "./worker.ts";
import type { World } from "./world.ts";

/** What a fault may do to the fleet. */
export interface Fleet {
  living(): readonly Machine[];
  /** kill -9; the same farm starts again later, or never where others go on. */
  kill(machine: Machine, restartMs: number): void;
  /** SIGTERM: drains, ends, starts again. */
  drain(machine: Machine, restartMs: number): void;
  /** All die; `mend` runs while nobody lives; all start again after that. */
  outage(restMs: number, mend: () => void): void;
  /** Something is still to come: the seed does not end before. */
  expect(): { over(): void };
  /** Wakes once another farm has moved an episode to this state. */
  onOthersMove(machine: Machine, state: string, wake: () => void): void;
}

/** Where a farm that stops for a while does most harm. */
const hotPoints: readonly Point[] = [
  "worker:looked",
  "worker:drafted",
  "worker:arm",
  "worker:armed",
  "worker:ask",
  "worker:answered",
  "worker:sent",
];
/** Beyond this nothing of a farm that died or froze is awaited any more. */
const LONGEST_FREEZE_MS = 45_000;
/** An hour without the manager costs as much as a hundred other seeds. */
const LONG_OUTAGES = 0.03;

type Setter = (world: World, fleet: Fleet, dice: Dice) => void;

/** Lays the traps of a seed and plans what comes by itself. Each kind draws from dice of its own. */
export function layFaults(world: World, fleet: Fleet): void {
  for (const kind of world.scenario.faults) setters[kind]?.(world, fleet, diceOf(world.scenario.seed, kind));
}

const setters: Partial<Record<FaultKind, Setter>> = {
  kill(world, fleet, dice) {
    for (let left = dice.pick([1, 1, 2, 3]); left > 0; left -= 1)
      trap(world, "kill", dice.chance(0.4) ? hot(dice) : drawPoint(dice), (machine) => fleet.kill(machine, dice.skewed(200, 30_000)));
  },
  freeze(world, fleet, dice) {
    for (let left = dice.pick([1, 1, 2]); left > 0; left -= 1) {
      const forMs = dice.pick([dice.between(500, 4000), dice.between(8000, 30_000), dice.between(15_000, LONGEST_FREEZE_MS)]);
      // It comes back just when another farm is at the same: the worst of moments.
      const state = dice.chance(0.6) ? dice.pick(["claimed", "ready", "ready", "armed", "armed", "posted", "waiting"]) : null;
      const afterMs = dice.skewed(0, 1500);
      trap(world, "freeze", dice.chance(0.8) ? hot(dice) : drawPoint(dice), (machine) => {
        machine.freeze();
        const thaw = (): void => {
          if (machine.frozen && !machine.dead) world.trace.say(machine.name, "thaws");
          machine.thaw();
        };
        world.timeline.after(state === null ? forMs : LONGEST_FREEZE_MS, thaw);
        if (state !== null) fleet.onOthersMove(machine, state, () => world.timeline.after(afterMs, thaw));
      });
    }
  },
  "thread-death"(world, _fleet, dice) {
    const { nth } = drawPoint(dice);
    for (let left = dice.pick([1, 2, 3]); left > 0; left -= 1)
      trap(world, "thread-death", { point: dice.pick([...hotPoints, "worker:written"]), nth: Math.min(nth, 4) + left - 1 }, () => ({
        error: new ThreadDeath(),
      }));
  },
  stall(world, _fleet, dice) {
    for (let left = dice.pick([1, 2, 3]); left > 0; left -= 1) {
      const stallMs = dice.pick([dice.between(500, 4000), dice.between(8000, 40_000)]);
      const at = dice.chance(0.3) ? { point: "queue:touch" as const, nth: dice.skewed(1, 5) } : drawPoint(dice);
      trap(world, "stall", at, () => ({ stallMs }));
    }
  },
  "statement-fails"(world, _fleet, dice) {
    const from = dice.skewed(1, 120);
    const error = new SqlError("could not extend file: No space left on device", "53100");
    for (let nth = from; nth < from + dice.pick([1, 1, 3, 20]); nth += 1)
      trap(world, "statement-fails", { point: "database:change", nth }, () => ({ error }));
  },
  "flush-fails"(world, _fleet, dice) {
    const from = dice.skewed(1, 12);
    const error = Object.assign(new Error("ENOSPC: no space left on device, fsync"), { code: "ENOSPC" });
    for (let nth = from; nth < from + dice.pick([1, 2, 4]); nth += 1)
      trap(world, "flush-fails", { point: "flush:begin", nth }, () => ({ error }));
  },
  "power-cut"(world, fleet, dice) {
    world.durability.keepsCopies = true;
    world.durability.copies = [world.database.snapshot()];
    trap(world, "power-cut", dice.chance(0.4) ? hot(dice) : drawPoint(dice), () => {
      const kept = world.durability.copies;
      const left = dice.chance(0.6) ? kept[0] : dice.pick(kept);
      fleet.outage(dice.skewed(500, 20_000), () => replace(world, left));
    });
  },
  "restored-backup"(world, fleet, dice) {
    const expected = fleet.expect();
    let old: Snapshot | undefined;
    world.timeline.after(dice.pick([1500, dice.between(0, 15_000)]), () => (old = world.database.snapshot()));
    world.timeline.after(dice.between(6000, 40_000), () => {
      old ??= world.database.snapshot();
      world.mischief.count("restored-backup");
      // Nothing of the time before is on its way any more when somebody has restored a backup.
      fleet.outage(world.scenario.stepTimeoutMs + world.scenario.lagMs + world.scenario.windowMs + 1, () => {
        replace(world, old);
        expected.over();
      });
    });
  },
  drain(world, fleet, dice) {
    trap(world, "drain", drawPoint(dice), (machine) => world.timeline.after(0, () => fleet.drain(machine, dice.skewed(200, 20_000))));
  },
  "site-down"(world, fleet, dice) {
    const expected = fleet.expect();
    const forMs = dice.skewed(1000, 40_000);
    world.timeline.after(dice.skewed(0, 15_000), () => {
      world.mischief.count("site-down");
      world.siteDownUntil = world.timeline.now + forMs;
      world.trace.say("site", `is down for ${forMs} ms`);
      expected.over();
    });
  },
  twin(world, _fleet, dice) {
    const task = dice.pick(world.scenario.tasks);
    const episode = dice.pick(task.data_content);
    world.timeline.after(dice.pick([0, dice.skewed(0, 20_000)]), () => {
      world.mischief.count("twin");
      const post = world.site.addTwin(accountKey(task.account_id), episode.title, markerOf("", episode.title));
      world.trace.say("stranger", `posts ${post.id} under the title of ${episode.id}`);
    });
  },
  "manager-outage"(world, fleet, dice) {
    const expected = fleet.expect();
    const forMs = dice.chance(LONG_OUTAGES) ? 3600_000 : dice.skewed(2000, 120_000);
    world.timeline.after(dice.skewed(0, 15_000), () => {
      world.mischief.count("manager-outage");
      world.outageUntil = world.timeline.now + forMs;
      world.trace.say("manager", `is down for ${forMs} ms`);
      expected.over();
    });
  },
  cancel(world, _fleet, dice) {
    const { id } = dice.pick(world.scenario.tasks);
    const gone = dice.chance(0.3);
    trap(world, "cancel", dice.chance(0.6) ? hot(dice) : drawPoint(dice), () => {
      world.trace.say("manager", `${id} is canceled${gone ? " and deleted" : ""}`);
      world.manager.cancel(id, gone);
    });
  },
};

function hot(dice: Dice): Pick<Trap, "point" | "nth"> {
  return { point: dice.pick(hotPoints), nth: dice.skewed(1, 4) };
}

function trap(world: World, kind: FaultKind, at: Pick<Trap, "point" | "nth">, strike: (machine: Machine) => Strike | void): void {
  world.mischief.set({ kind, ...at, strike });
}

function replace({ database, checker, durability, trace }: World, older: Snapshot | undefined): void {
  if (!older) return;
  database.restore(older);
  checker.ledgerReplaced();
  durability.copies = durability.keepsCopies ? [older] : [];
  trace.say("disk", "the ledger is an older one now");
}
