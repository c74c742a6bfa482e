import { workerHeaders } from "../../contract/worker-api.ts";
import { createSlidingWindow } from "../../kit/sliding-window.ts";
import type { ServeOptions } from "../api/serve.ts";
import { ApiError } from "../errors.ts";

const CALLS_PER_SECOND = 1000;
const WITHIN_MS = 1000;
const MAX_CALLERS = 10_000;

export interface RateLimit {
  /** Counts a call unless it has to wait. @returns 0, or how long, ms */
  take(caller: string): number;
}

/** No second, wherever it begins, has more than so many calls of a caller; refused ones don't count. */
export function createRateLimit(now: () => number, perSecond = CALLS_PER_SECOND): RateLimit {
  const calls = createSlidingWindow({ most: perSecond, windowMs: WITHIN_MS, maxKeys: MAX_CALLERS, now });
  return {
    take(caller) {
      const waitMs = calls.waitMs(caller);
      if (waitMs === 0) calls.count(caller);
      return waitMs;
    },
  };
}

/** For each API key and each person, as soon as it is known who calls; what is open to all is not counted. */
export function limitCalls(identify: ServeOptions["identify"], limit: RateLimit): ServeOptions["identify"] {
  return async (request, needs) => {
    const who = await identify(request, needs);
    if (needs === "open") return who;
    const key = request.headers[workerHeaders.apiKey];
    const waitMs = limit.take(key === undefined ? `person ${who.email}` : `key ${String(key)}`);
    if (waitMs > 0) throw new ApiError("too_many", "", waitMs);
    return who;
  };
}
