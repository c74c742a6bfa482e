const START = Date.parse("2026-11-21T08:00:00Z");

interface Happening {
  at: number;
  /** Those of one moment happen in the order in which they were planned. */
  order: number;
  run: () => void;
}

/**
 * Virtual time: it stands still while anybody works and jumps to the next thing that was planned. All of the simulation's
 * work is microtasks, so one turn of the event loop is enough to see that nothing moves any more.
 */
export class Timeline {
  readonly start = START;
  now = START;
  readonly #heap: Happening[] = [];
  #order = 0;

  /** ms since the beginning. */
  get elapsedMs(): number {
    return this.now - START;
  }

  /** @param delayMs from now */
  after(delayMs: number, run: () => void): void {
    const entry = { at: this.now + Math.max(0, delayMs), order: this.#order, run };
    this.#order += 1;
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent] as Happening)) break;
      heap[at] = heap[parent] as Happening;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Lets time pass until `done`, or until nothing is planned, or until the deadline. @returns what ended it */
  async run(done: () => boolean, untilMs: () => number): Promise<"done" | "still" | "late"> {
    await calm();
    for (;;) {
      if (done()) return "done";
      const next = this.#take();
      if (!next) return "still";
      if (next.at - START > untilMs()) return "late";
      this.now = next.at;
      next.run();
      await calm();
    }
  }

  #take(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || first === last) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Happening, heap[child] as Happening)) child += 1;
      if (!before(heap[child] as Happening, last)) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(one: Happening, other: Happening): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

async function calm(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
