import type { Clock } from "../../src/kit/clock.ts";
import type { Job, Queue, Sending } from "../../src/store/queue.ts";

interface Entry extends Required<Omit<Sending, "startAfter">> {
  at: number;
  order: number;
  deaths: number;
  retryCount: number;
  heldSince: number | null;
}

const HEARTBEAT_MS = 10_000;

/** The queue's promises on a virtual clock, for several farms of one test. On PostgreSQL a holder that is silent for 10 s loses its job. */
export function memoryQueue(clock: Clock, backend: "pglite" | "postgres"): Queue {
  const entries = new Map<string, Entry>();
  let order = 0;
  const mine = (job: Job): Entry | null => {
    const entry = entries.get(job.ticket.id);
    return entry && entry.heldSince !== null && entry.retryCount === job.ticket.retryCount ? entry : null;
  };
  const reap = (entry: Entry): void => {
    entry.heldSince = null;
    entry.deaths += 1;
    entry.retryCount += 1;
  };
  const queue: Queue = {
    async send({ id, accountKey, priority = 0, startAfter }) {
      order += 1;
      entries.set(`${id}/${order}`, {
        id,
        accountKey,
        priority,
        at: startAfter?.getTime() ?? clock.now(),
        order,
        deaths: 0,
        retryCount: 0,
        heldSince: null,
      });
    },
    async take(limit) {
      const isSilent = ({ heldSince }: Entry): boolean => heldSince !== null && clock.now() - heldSince > HEARTBEAT_MS;
      if (backend === "postgres") [...entries.values()].filter(isSilent).forEach(reap);
      const jobs: Job[] = [];
      const busy = new Set([...entries.values()].filter((entry) => entry.heldSince !== null).map((entry) => entry.accountKey));
      const free = [...entries].filter(([, entry]) => entry.heldSince === null && entry.at <= clock.now());
      const isOldest = (one: Entry): boolean =>
        !free.some(([, { accountKey, order: at }]) => accountKey === one.accountKey && at < one.order);
      const due = free.filter(([, entry]) => isOldest(entry)).sort(([, a], [, b]) => b.priority - a.priority || a.order - b.order);
      for (const [ticket, entry] of due) {
        if (jobs.length >= limit || busy.has(entry.accountKey)) continue;
        busy.add(entry.accountKey);
        entry.heldSince = clock.now();
        jobs.push({
          id: entry.id,
          accountKey: entry.accountKey,
          priority: entry.priority,
          deaths: entry.deaths,
          ticket: { id: ticket, retryCount: entry.retryCount },
        });
      }
      return jobs;
    },
    async done(job) {
      return mine(job) !== null && entries.delete(job.ticket.id);
    },
    async giveBack(job, { afterMs, priority = job.priority }) {
      if (!(await queue.done(job))) return false;
      await queue.send({ id: job.id, accountKey: job.accountKey, priority, startAfter: new Date(clock.now() + afterMs) });
      return true;
    },
    async touch(job) {
      const entry = mine(job);
      if (entry) entry.heldSince = clock.now();
      return entry !== null;
    },
    async recoverDead() {
      if (backend === "postgres") return 0;
      const held = [...entries.values()].filter((entry) => entry.heldSince !== null);
      held.forEach(reap);
      return held.length;
    },
    async pending() {
      return [...entries.values()].map((entry) => entry.id);
    },
    async close() {},
  };
  return queue;
}
