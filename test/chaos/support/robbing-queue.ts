import type { Job, Queue } from "../../../src/store/queue.ts";

const KEPT_MS = 500;
const MOST_KEPT = 20;

/**
 * A queue that also hands out what somebody else holds, once each: as if every holder was taken for dead while it is alive.
 * What is left to keep two holders apart are the ledger's fences. Ends and signs of life of a robbed job change nothing in the
 * queue; the true holder's do. A true holder who finds its task in another's hands drops the job, trusting that the queue has
 * only one holder; here it is kept, since the other one's end counts for nothing.
 * @param robs false: takes what is its own, but keeps what it would drop
 */
export function robbing(queue: Queue, robs: boolean): Queue {
  const mine = new Set<string>();
  const kept = new Map<string, number>();
  const robbed = new WeakSet<Job>();
  return {
    ...queue,
    async take(limit) {
      const honest = await queue.take(limit);
      for (const job of honest) mine.add(job.id);
      const jobs = [...honest];
      for (const id of robs ? await queue.pending() : []) {
        if (jobs.length >= limit) break;
        if (mine.has(id)) continue;
        mine.add(id);
        // The account is only asked for by the queue itself.
        const job: Job = {
          id,
          accountKey: "",
          deaths: 0,
          priority: 0,
          ticket: { id: "00000000-0000-4000-8000-000000000000", retryCount: 0 },
        };
        robbed.add(job);
        jobs.push(job);
      }
      return jobs;
    },
    async done(job, options) {
      if (robbed.has(job)) return false;
      const times = (kept.get(job.id) ?? 0) + 1;
      kept.set(job.id, times);
      // The end of a run comes in its transaction; without one it is a drop.
      return options?.trx || times > MOST_KEPT ? queue.done(job, options) : queue.giveBack(job, { afterMs: KEPT_MS });
    },
    giveBack: async (job, after, options) => (robbed.has(job) ? false : queue.giveBack(job, after, options)),
    touch: async (job) => robbed.has(job) || queue.touch(job),
  };
}
