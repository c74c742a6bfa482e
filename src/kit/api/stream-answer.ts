import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

/** An answer that is too long to be held in memory. */
export interface Streamed {
  format: "json" | "csv";
  /** Its text. Each piece is made when the one before it is on its way. */
  pieces: AsyncIterable<string>;
}

const types = { json: "application/json; charset=utf-8", csv: "text/csv; charset=utf-8" } as const;

/**
 * Makes no more than the caller takes, and nothing for one who went away. What breaks before the first piece is thrown; what breaks
 * later breaks the connection, for a part must not look like the whole.
 * @param onBroken is told what broke later
 */
export async function streamAnswer(
  reply: FastifyReply,
  { format, pieces }: Streamed,
  onBroken: (thrown: unknown) => void,
): Promise<FastifyReply> {
  const source = Readable.from(await begun(pieces));
  source.once("error", onBroken);
  return reply.type(types[format]).send(source);
}

/** The same pieces, of which the first is there. */
async function begun(pieces: AsyncIterable<string>): Promise<AsyncIterable<string>> {
  const all = pieces[Symbol.asyncIterator]();
  let first: IteratorResult<string> | null = await all.next();
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const next = first ?? (await all.next());
        first = null;
        return next;
      },
      return: async () => (await all.return?.()) ?? { done: true, value: undefined },
    }),
  };
}
