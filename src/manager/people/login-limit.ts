import { isIP } from "node:net";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { authRoutes } from "../../contract/auth-api.ts";
import { createSlidingWindow, type SlidingWindow } from "../../kit/sliding-window.ts";
import { ApiError } from "../errors.ts";

const WITHIN_MS = 60_000;
/** One address for one e-mail. */
const TRIES = 10;
/** One address for any e-mails: an office behind one address signs in, whoever tries a list of e-mails stops. */
const TRIES_OF_ADDRESS = 100;
/** Any addresses for one e-mail: many machines that share the work of guessing. */
const TRIES_FOR_EMAIL = 100;
const MAX_KEYS = 20_000;
/** Nothing is checked yet when a try is counted. */
const [MAX_ADDRESS_CHARACTERS, MAX_EMAIL_CHARACTERS] = [64, 320];
/** For so long an address that signed in somebody is theirs. */
const TRUSTED_MS = 30 * 24 * 60 * 60_000;

export interface LoginLimit {
  /** Counts a try. @returns 0, or how long to wait, ms: then it is not counted, and must not be made */
  take(address: string, email: string): number;
  /** It was the right password: the pair's tries are forgotten, and the address is known for this e-mail. */
  succeed(address: string, email: string): void;
}

/**
 * How often passwords may be tried, in this process's memory.
 *
 * Nobody can lock somebody else out for good: refused tries don't count, so that a place gets free all the time; an address that
 * signed in with this e-mail before is not held up by what others try for it; and whoever is signed in refreshes without a password.
 * What is left to a stranger with many machines is to hold up a sign-in from an address that is new, or after a restart.
 */
export function createLoginLimit(now: () => number): LoginLimit {
  const window = (most: number, windowMs = WITHIN_MS): SlidingWindow => createSlidingWindow({ most, windowMs, maxKeys: MAX_KEYS, now });
  const [pairs, addresses, emails, trusted] = [window(TRIES), window(TRIES_OF_ADDRESS), window(TRIES_FOR_EMAIL), window(1, TRUSTED_MS)];
  return {
    take(address, email) {
      const { from, whose, pair } = keysOf(address, email);
      const isTrusted = trusted.waitMs(pair) > 0;
      const waitMs = Math.max(pairs.waitMs(pair), addresses.waitMs(from), isTrusted ? 0 : emails.waitMs(whose));
      if (waitMs > 0) return waitMs;
      pairs.count(pair);
      addresses.count(from);
      if (!isTrusted) emails.count(whose);
      return 0;
    },
    succeed(address, email) {
      const { pair } = keysOf(address, email);
      pairs.forget(pair);
      trusted.forget(pair);
      trusted.count(pair);
    },
  };
}

/** After the body was read: the e-mail stands in it. */
export function limitLogins(app: FastifyInstance, limit: LoginLimit): void {
  // The route, not the address: that can be written in many ways.
  const isLogin = (request: FastifyRequest): boolean => request.routeOptions.url === `${app.prefix}${authRoutes.login.path}`;
  app.addHook("preHandler", async (request) => {
    const waitMs = isLogin(request) ? limit.take(request.ip, emailOf(request)) : 0;
    if (waitMs > 0) throw new ApiError("too_many", "", waitMs);
  });
  // Before the answer leaves: whoever has it may try again at once.
  app.addHook("onSend", async (request, reply) => {
    if (isLogin(request) && reply.statusCode === 200) limit.succeed(request.ip, emailOf(request));
  });
}

function emailOf(request: FastifyRequest): string {
  const { email } = (request.body ?? {}) as { email?: unknown };
  return typeof email === "string" ? email : "";
}

function keysOf(address: string, email: string): { from: string; whose: string; pair: string } {
  const [from, whose] = [networkOf(address.slice(0, MAX_ADDRESS_CHARACTERS)), email.trim().slice(0, MAX_EMAIL_CHARACTERS).toLowerCase()];
  return { from, whose, pair: `${from} ${whose}` };
}

/** Of IPv6 the /64, which is what one customer has: each of them could use as many addresses as there are. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (isIP(plain) !== 6) return plain;
  const [head = "", tail = ""] = plain.toLowerCase().split("%", 1)[0]!.split("::");
  const [before, behind] = [head, tail].map((part) => part.split(":").filter(Boolean)) as [string[], string[]];
  const zeros = plain.includes("::") ? Array.from({ length: Math.max(0, 8 - before.length - behind.length) }, () => "0") : [];
  return [...before, ...zeros, ...behind].slice(0, 4).join(":");
}
