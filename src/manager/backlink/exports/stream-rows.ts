import type { Streamed } from "../../../kit/api/stream-answer.ts";

/** About the length of a piece, in characters, however long the rows are. */
const PIECE_CHARACTERS = 500_000;
const [FIRST_ROWS, MOST_ROWS] = [10, 1000];

/** Rows for an export, in its order. */
export interface Rows<Row> {
  /** @returns the next ones, at most `limit`; null when there are no more */
  next(limit: number): Promise<readonly Row[] | null>;
}

/** How the rows are written down. */
export interface Writing<Row> {
  format: Streamed["format"];
  /** What stands before the first row, if there is one. */
  opening: string;
  /** Text of rows. `isFirst`: none stands before them. */
  write(rows: readonly Row[], isFirst: boolean): string;
  closing: string;
}

/** As many rows at once as make a piece of bounded length. */
export function streamRows<Row>(rows: Rows<Row>, { format, opening, write, closing }: Writing<Row>): Streamed {
  async function* pieces(): AsyncGenerator<string> {
    let [limit, isFirst] = [FIRST_ROWS, true];
    for (let some = await rows.next(limit); some; some = await rows.next(limit)) {
      if (some.length === 0) continue;
      const text = write(some, isFirst);
      // Not before the first rows are there: what breaks until the first piece can still be refused.
      yield isFirst ? opening + text : text;
      isFirst = false;
      limit = Math.min(MOST_ROWS, Math.max(1, Math.floor(PIECE_CHARACTERS / (text.length / some.length))));
    }
    yield isFirst ? opening + closing : closing;
  }
  return { format, pieces: pieces() };
}
