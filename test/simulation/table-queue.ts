import { CompiledQuery, type Kysely } from "kysely";
import type { Clock } from "../../src/kit/clock.ts";
import type { InTransaction, Job, Queue } from "../../src/store/queue.ts";
import type { Store } from "../../src/store/store.ts";

interface JobRow {
  ticket: number;
  task: string;
  account: string;
  priority: number;
  at: Date;
  /** Last sign of life of its holder; null: nobody has it. */
  touched: Date | null;
  attempt: number;
  deaths: number;
}

/** A holder that is silent for longer has lost its job (fleets only). */
export const SILENT_MS = 10_000;

const insert = "insert into sim.jobs (task, account, priority, at) values ($1, $2, $3, $4)";
const free = "update sim.jobs set touched = null, attempt = attempt + 1, deaths = deaths + 1";
const held = "ticket = $1 and attempt = $2 and touched is not null";

/**
 * The queue's promises (src/store/queue.ts) on a table of the simulated database, so that its rows come, go and are restored
 * with the transactions of the ledger, and by the virtual clock.
 * @param written how often the table was written to
 */
export function tableQueue(store: Store, clock: Clock, written: () => number): Queue {
  /** Nothing can be taken before this, as long as nobody writes: polls are many. */
  let empty = { written: -1, until: 0 };
  const db = store.part<unknown>("farm");
  const ask = async (sql: string, values: unknown[], { trx }: InTransaction = {}): Promise<{ rows: JobRow[]; changed: number }> => {
    const { rows, numAffectedRows } = await ((trx as Kysely<unknown> | undefined) ?? db).executeQuery<JobRow>(
      CompiledQuery.raw(sql, values),
    );
    return { rows, changed: Number(numAffectedRows ?? 0) };
  };
  const now = (): Date => new Date(clock.now());
  const all = async (lock = "", within?: InTransaction): Promise<JobRow[]> =>
    (await ask(`select * from sim.jobs order by ticket${lock}`, [], within)).rows;
  const isSilent = ({ touched }: JobRow): boolean =>
    store.backend === "postgres" && touched !== null && clock.now() - touched.getTime() > SILENT_MS;
  const ticketOf = (job: Job): unknown[] => [Number(job.ticket.id), job.ticket.retryCount];
  const queue: Queue = {
    async send({ id, accountKey, priority = 0, startAfter }, within) {
      await ask(insert, [id, accountKey, priority, startAfter ?? now()], within);
    },
    async take(limit) {
      if (empty.written === written() && clock.now() < empty.until) return [];
      const seen = written();
      const known = await all();
      if (!known.some(isSilent) && pickFree(known, now(), limit).length === 0) {
        const times = known.map(({ at, touched }) => (touched === null ? at.getTime() : touched.getTime() + SILENT_MS));
        const later = times.filter((time) => time > clock.now());
        if (later.length === times.length) empty = { written: seen, until: Math.min(...later) };
        return [];
      }
      return db.transaction().execute(async (trx) => {
        // Whoever asks gives up the holders that fell silent.
        const before = await all(" for update", { trx });
        for (const { ticket } of before.filter(isSilent)) await ask(`${free} where ticket = $1`, [ticket], { trx });
        const jobs: Job[] = [];
        for (const { ticket, task, account, priority } of pickFree(before.some(isSilent) ? await all("", { trx }) : before, now(), limit)) {
          const taken = await ask("update sim.jobs set touched = $2 where ticket = $1 returning *", [ticket, now()], { trx });
          const { attempt = 0, deaths = 0 } = taken.rows[0] ?? {};
          jobs.push({ id: task, accountKey: account, priority, deaths, ticket: { id: String(ticket), retryCount: attempt } });
        }
        return jobs;
      });
    },
    async done(job, within) {
      return (await ask(`delete from sim.jobs where ${held}`, ticketOf(job), within)).changed === 1;
    },
    async giveBack(job, { afterMs, priority = job.priority }, { trx } = {}) {
      const swap = async (inner: NonNullable<InTransaction["trx"]>): Promise<boolean> => {
        if (!(await queue.done(job, { trx: inner }))) return false;
        await queue.send({ id: job.id, accountKey: job.accountKey, priority, startAfter: new Date(clock.now() + afterMs) }, { trx: inner });
        return true;
      };
      return trx ? swap(trx) : db.transaction().execute(swap);
    },
    async touch(job) {
      return (await ask(`update sim.jobs set touched = $3 where ${held}`, [...ticketOf(job), now()])).changed === 1;
    },
    async recoverDead() {
      if (store.backend === "postgres") return 0;
      return (await ask(`${free} where touched is not null`, [])).changed;
    },
    async pending() {
      return (await all()).map((row) => row.task);
    },
    close: async () => undefined,
  };
  return queue;
}

/** Jobs that may start: due and free, one an account, the best first. */
function pickFree(rows: readonly JobRow[], now: Date, limit: number): JobRow[] {
  const busy = new Set(rows.filter((row) => row.touched !== null).map((row) => row.account));
  const picked: JobRow[] = [];
  for (const row of rows.toSorted((a, b) => b.priority - a.priority || a.ticket - b.ticket)) {
    if (picked.length >= limit || busy.has(row.account) || row.at > now) continue;
    busy.add(row.account);
    picked.push(row);
  }
  return picked;
}
