import { z } from "zod";
import type { BrowserState } from "../contract/task.ts";

const cookies = z.array(
  z
    .object({ name: z.string(), expires: z.number().default(-1), httpOnly: z.boolean().default(false) })
    .catch({ name: "", expires: -1, httpOnly: false }),
);

/** How sites call the cookie that carries a sign-in; those of shields and statistics have other names and live longer or shorter. */
const SESSION_NAME = /sess|auth|token|sid$|login|logged|remember|jwt|identity|account/i;
const NO_SESSION_NAME = /csrf|xsrf|^_ga|^__cf|^cf_|^awsalb|device/i;

/**
 * When the site says that the session ends: the last of the cookies that carry it (a "remember me" outlives the rest). Sites
 * may end it earlier. null: the cookies say nothing, since they end with the browser or have names that tell nothing.
 */
export function expiryOf(state: BrowserState): Date | null {
  const carriers = cookies
    .parse(state.cookies)
    .filter(({ name, httpOnly }) => httpOnly && SESSION_NAME.test(name) && !NO_SESSION_NAME.test(name));
  const ends = carriers.map(({ expires }) => expires).filter((expires) => expires > 0);
  return ends.length > 0 ? new Date(Math.max(...ends) * 1000) : null;
}
