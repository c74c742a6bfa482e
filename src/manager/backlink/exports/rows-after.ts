import type { Rows } from "./stream-rows.ts";

interface Placed {
  id: string;
  created_at: Date;
}

/** Where to go on: behind this row. Times are the clock's whole milliseconds, so none is lost on the way through a `Date`. */
type Place = Pick<Placed, "id" | "created_at">;

export interface Order<Row extends Placed> {
  /** Those of one moment, by id. `place` null is never asked for. */
  ofMoment(place: Place, limit: number): Promise<Row[]>;
  /** Those of the moments that follow; null: of all. */
  beyond(place: Place | null, limit: number): Promise<Row[]>;
}

/**
 * All rows in the order of (created_at, id), which no row ever changes: what is there from the beginning to the end comes once,
 * whatever is added and deleted meanwhile. No transaction is held, for a slow caller would hold it for hours; on the embedded
 * database that would be everybody's only connection.
 *
 * Two queries, for all rows of an import have one moment, and `created_at >= $1 and (created_at > $1 or id > $2)` would read all of
 * them for each page.
 */
export function rowsInOrder<Row extends Placed>({ ofMoment, beyond }: Order<Row>): Rows<Row> {
  let place: Place | null = null;
  let isOver = false;
  return {
    async next(limit) {
      if (isOver) return null;
      const rows = place ? await ofMoment(place, limit) : [];
      if (rows.length < limit) rows.push(...(await beyond(place, limit - rows.length)));
      isOver = rows.length < limit;
      place = rows.at(-1) ?? null;
      return rows;
    },
  };
}

/** Their rows may be a megabyte each. */
const IDS_AT_ONCE = 20;

/** Rows by their ids; `read` leaves out what there is not. */
export function rowsOf<Row>(ids: readonly string[], read: (ids: readonly string[]) => Promise<readonly Row[]>): Rows<Row> {
  let at = 0;
  return {
    async next(limit) {
      if (at >= ids.length) return null;
      const some = ids.slice(at, at + Math.min(limit, IDS_AT_ONCE));
      at += some.length;
      return read(some);
    },
  };
}
