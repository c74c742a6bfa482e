import { randomBytes } from "node:crypto";

const COUNTER_BITS = 26;

/**
 * UUIDs (version 7) that sort in the order in which they are asked for: rows made at one moment keep their order.
 * The first 48 bits are the moment, 26 bits count from a random low number, 48 are random.
 */
export function orderedIds(now: Date): () => string {
  const moment = now.getTime().toString(16).padStart(12, "0");
  let counter = randomBytes(3).readUIntBE(0, 3);
  return () => {
    const count = (counter++ % 2 ** COUNTER_BITS).toString(2).padStart(COUNTER_BITS, "0");
    const high = Number.parseInt(count.slice(0, 12), 2).toString(16).padStart(3, "0");
    const low = Number.parseInt(`10${count.slice(12)}`, 2).toString(16);
    return `${moment.slice(0, 8)}-${moment.slice(8)}-7${high}-${low}-${randomBytes(6).toString("hex")}`;
  };
}
