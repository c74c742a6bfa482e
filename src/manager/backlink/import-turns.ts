import { ApiError } from "../errors.ts";

/** Each holds its rows in memory. */
const MAX_WAITING = 5;

/** Runs the work when all that the owner gave before has ended. @throws ApiError conflict when too much of it waits */
export type InTurn = <T>(tenant: string, work: () => Promise<T>) => Promise<T>;

interface Line {
  length: number;
  /** Of the last in it. Never rejected. */
  end: Promise<unknown>;
}

/**
 * One import of an owner at a time: two would only take turns with their batches, and hold up others twice as long. What they
 * count right does not hang on it: that is decided by the database, where imports of other managers meet.
 */
export function createTurns(): InTurn {
  const lines = new Map<string, Line>();
  return async (tenant, work) => {
    const line = lines.get(tenant) ?? { length: 0, end: Promise.resolve() };
    if (line.length > MAX_WAITING)
      throw new ApiError("conflict", `${MAX_WAITING} imports wait already; send this one when they have ended`);
    lines.set(tenant, line);
    line.length += 1;
    const mine = line.end.then(work);
    line.end = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      line.length -= 1;
      if (line.length === 0) lines.delete(tenant);
    }
  };
}
