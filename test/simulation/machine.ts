import type { Clock } from "../../src/kit/clock.ts";
import type { Dice } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** What never comes: the answer that a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/**
 * One process on the virtual timeline. All that it waits for comes through `wait`, so that `kill -9` ends it between any two
 * of its steps, for ever, and SIGSTOP holds it: what is due meanwhile comes after the thaw, in an order that nobody promises.
 */
export class Machine {
  /** Unique in a seed: "B2" is the second start of farm B. */
  readonly name: string;
  readonly timeline: Timeline;
  readonly #dice: Dice;
  readonly #onDeath: (() => void)[] = [];
  #held: (() => void)[] = [];
  #frozen = false;
  #dead = false;
  frozenSince = 0;

  constructor(name: string, timeline: Timeline, dice: Dice) {
    this.name = name;
    this.timeline = timeline;
    this.#dice = dice;
  }

  get dead(): boolean {
    return this.#dead;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Resolves after `ms` of virtual time, later when frozen, never when dead. Nothing to wait for costs no time. */
  async wait(ms: number): Promise<void> {
    if (this.#dead) return never();
    if (ms <= 0 && !this.#frozen) return;
    await new Promise<void>((resolve) => {
      this.timeline.after(ms, () => this.deliver(resolve));
    });
  }

  /** Something from outside reaches this process: now, after its thaw, or never. */
  deliver(resume: () => void): void {
    if (this.#dead) return;
    if (this.#frozen) this.#held.push(resume);
    else resume();
  }

  die(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#held = [];
    for (const undo of this.#onDeath.splice(0)) undo();
  }

  onDeath(undo: () => void): void {
    this.#onDeath.push(undo);
  }

  freeze(): void {
    if (this.#dead || this.#frozen) return;
    this.#frozen = true;
    this.frozenSince = this.timeline.now;
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    for (const resume of this.#held.splice(0)) this.timeline.after(this.#dice.skewed(0, 400), () => this.deliver(resume));
  }

  readonly clock: Clock = {
    now: () => this.timeline.now,
    monotonic: () => this.timeline.elapsedMs,
    sleep: async (ms, signal) => {
      if (this.#dead) return never();
      if (signal?.aborted) return;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal?.removeEventListener("abort", early);
          resolve();
        };
        const early = (): void => resolve();
        signal?.addEventListener("abort", early, { once: true });
        this.timeline.after(ms, () => this.deliver(wake));
      });
      if (this.#dead) return never();
    },
  };
}
