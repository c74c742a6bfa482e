import type { Machine } from "./machine.ts";
import type { Dice } from "./random.ts";

/** What can go wrong, by name: a seed draws some of them, `--drop` takes one away. */
export const faultKinds = [
  "kill",
  "freeze",
  "thread-death",
  "stall",
  "statement-fails",
  "flush-fails",
  "power-cut",
  "restored-backup",
  "drain",
  "publish-lost",
  "publish-slow",
  "accepted-later",
  "reply-lost",
  "refused-connection",
  "site-errors",
  "site-refusals",
  "site-down",
  "twin",
  "manager-loses-requests",
  "manager-loses-replies",
  "manager-says-later",
  "manager-outage",
  "cancel",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Places in a farm's work at which something can strike. */
export const points = [
  "worker:begin",
  "worker:next",
  "worker:look",
  "worker:looked",
  "worker:draft",
  "worker:drafted",
  "worker:arm",
  "worker:armed",
  "worker:ask",
  "worker:permitted",
  "worker:written",
  "worker:answered",
  "worker:sent",
  "worker:feed",
  "database:statement",
  "database:change",
  "database:changed",
  "database:commit",
  "database:committed",
  "flush:begin",
  "flush:end",
  "queue:touch",
  "source:pull",
  "source:read",
  "source:start",
  "source:complete",
  "source:answered",
] as const;
export type Point = (typeof points)[number];

/** What a strike asks of whoever was struck, if it lives. */
export interface Strike {
  error?: Error;
  stallMs?: number;
}

export interface Trap {
  kind: FaultKind;
  point: Point;
  /** The how-manieth passing of the point, over all farms, from 1. */
  nth: number;
  strike(machine: Machine): Strike | void;
}

/** Traps on the way of the farms. Each springs once. */
export class Mischief {
  readonly #traps = new Map<Point, Trap[]>();
  readonly #passed = new Map<Point, number>();
  readonly injected = new Map<FaultKind, number>();
  readonly #say: (machine: Machine, what: string) => void;

  constructor(say: (machine: Machine, what: string) => void) {
    this.#say = say;
  }

  set(trap: Trap): void {
    const there = this.#traps.get(trap.point);
    if (there) there.push(trap);
    else this.#traps.set(trap.point, [trap]);
  }

  count(kind: FaultKind): void {
    this.injected.set(kind, (this.injected.get(kind) ?? 0) + 1);
  }

  /** The farm passes a point. After it, ask whether it still lives. */
  pass(machine: Machine, point: Point): Strike | null {
    const traps = this.#traps.get(point);
    if (!traps || machine.dead) return null;
    const times = (this.#passed.get(point) ?? 0) + 1;
    this.#passed.set(point, times);
    const strike: Strike = {};
    for (const trap of traps) {
      if (trap.nth !== times) continue;
      this.count(trap.kind);
      this.#say(machine, `${trap.kind} at ${point} (${times})`);
      Object.assign(strike, trap.strike(machine));
      if (machine.dead) break;
    }
    return strike;
  }
}

/** Where a trap lies: early more often than late, since a run is short. */
export function drawPoint(dice: Dice): Pick<Trap, "point" | "nth"> {
  const point = dice.pick(points);
  return { point, nth: point.startsWith("database") ? dice.skewed(1, 120) : dice.skewed(1, 4) };
}
