import type { Timeline } from "./timeline.ts";

/** What happened in a seed, one line an event: virtual time, who, what. Made into text only when somebody reads it. */
export class Trace {
  readonly #timeline: Timeline;
  readonly #events: { at: number; who: string; what: string }[] = [];

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  say(who: string, what: string): void {
    this.#events.push({ at: this.#timeline.elapsedMs, who, what });
  }

  toString(): string {
    return this.#events.map(({ at, who, what }) => `${(at / 1000).toFixed(3).padStart(9)}  ${who.padEnd(8)} ${what}`).join("\n");
  }
}
