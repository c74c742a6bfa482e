import { z } from "zod";
import { failures } from "../contract/failures.ts";
import type { DriverCard } from "../contract/task.ts";
import { UsageError } from "../kit/config.ts";
import type { Driver, DriverDeclaration, Limits } from "./contract.ts";

/** Marks what `defineDriver` made, also across two copies of this module. */
const made = Symbol.for("podcrew.driver");

/** The usual studio (Apple's rules for covers; no more HTML than all players show). */
const usualLimits: Limits = {
  title: { maxCharacters: 255 },
  about: { tags: ["p", "br", "strong", "em", "ul", "ol", "li", "a"], maxCharacters: 4000 },
  cover: { minPixels: 1400, maxPixels: 3000, maxBytes: 500 * 1024 },
  audio: { formats: ["mp3"], maxBytes: 200 * 1024 * 1024 },
};

const isFunction = z.custom<(...args: never[]) => unknown>((value) => typeof value === "function", "must be a function");
const isRegExp = z.instanceof(RegExp, { error: "must be a regular expression" });
const host = z
  .string()
  .regex(
    /^[a-z0-9.-]+(:\d+)?$|^\[[0-9a-f:]+\](:\d+)?$/,
    'must be a host such as "studio.example.com" or "localhost:8710", in lower case, without https:// and path',
  );
const isLocale = (tag: string): boolean => {
  try {
    return Intl.getCanonicalLocales(tag).length > 0;
  } catch {
    return false;
  }
};
const STATELESS = "must not carry the flags g or y: they make a match depend on the one before";
const positive = z.number().int().positive();

const request = z
  .strictObject({
    method: z.enum(["POST", "PUT", "PATCH", "GET"]),
    url: isRegExp,
    body: isRegExp.optional(),
    via: z.enum(["fetch", "continue"]).optional(),
  })
  .refine(({ url }) => !url.global && !url.sticky, { path: ["url"], error: STATELESS })
  .refine(({ body }) => !body?.global && !body?.sticky, { path: ["body"], error: STATELESS });

const declaration = z
  .strictObject({
    site: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be a name such as "my-studio": lower case, digits, dashes'),
    hosts: z.array(host).optional(),
    origin: z.url({ protocol: /^https?$/, error: 'must be an address such as "https://studio.example.com"' }).optional(),
    account: z.custom(
      (value) => value instanceof z.ZodType,
      "must be a zod schema such as z.object({ email: z.email(), password: z.string() })",
    ),
    tier: z.enum(["drafts", "list", "blind"]).default("list"),
    limits: z
      .strictObject({
        title: z.strictObject({ maxCharacters: positive, tooLong: z.enum(["cut", "refuse"]).optional() }),
        about: z.strictObject({ tags: z.array(z.string()), maxCharacters: positive }),
        cover: z.strictObject({ minPixels: positive, maxPixels: positive, maxBytes: positive }),
        audio: z.strictObject({ formats: z.array(z.enum(["mp3", "m4a", "wav"])).min(1), maxBytes: positive }),
      })
      .partial()
      .default({}),
    refusals: z
      .record(
        z
          .string()
          .refine(
            (code) => Object.hasOwn(failures, code),
            'is no failure code; see the table in contract/failures.ts, for example "account.refused"',
          ),
        z.union([isRegExp, z.strictObject({ text: isRegExp, within: z.string() })]),
      )
      .default({}),
    interruptions: z.array(z.strictObject({ shows: isFunction, dismiss: isFunction })).default([]),
    locale: z.string().refine(isLocale, 'must be a language tag such as "zh-TW"').optional(),
    signInPage: isRegExp.default(/\/(log-?in|sign-?in)\b/i),
    publishRequest: request,
    post: z.enum(["browser", "request"]).default("browser"),
    settleMs: z.number().int().min(0).default(120_000),
    concurrency: positive.default(1),
    login: z.enum(["email", "username"]).default("email"),
    isSignedIn: isFunction,
    signIn: isFunction,
    find: isFunction.optional(),
    list: isFunction.optional(),
    draft: isFunction,
    publish: isFunction,
    discard: isFunction.optional(),
    feed: isFunction,
    importFeed: z.strictObject({ publishRequest: request, find: isFunction, prepare: isFunction, confirm: isFunction }).optional(),
  })
  .refine(({ hosts, origin }) => hosts ?? origin, {
    path: ["hosts"],
    error:
      'say which site it is: hosts: ["studio.example.com"] or origin: "https://studio.example.com"; hosts: [] where everybody has one of their own, which SITES names',
  })
  .refine(({ tier, find, list }) => tier === "blind" || find || (tier === "list" && list), {
    path: ["find"],
    error:
      "is missing: without it nothing can be looked up. A site of tier list that keeps no marker needs list(), one that shows nothing is blind",
  })
  .refine(({ signInPage }) => !signInPage.global && !signInPage.sticky, { path: ["signInPage"], error: STATELESS });

/**
 * Checks a driver's declaration and fills in the defaults.
 *
 * @example
 * export default defineDriver({
 *   site: "my-studio",
 *   origin: "https://studio.example.com",
 *   account: z.object({ email: z.email(), password: z.string() }),
 *   refusals: { "account.refused": /wrong password/i },
 *   publishRequest: { method: "POST", url: /\/publish$/ },
 *   async isSignedIn({ page }) {
 *     await page.goto("/dashboard");
 *     return page.getByRole("link", { name: "Sign out" }).isVisible();
 *   },
 *   …
 * });
 *
 * @throws UsageError naming every problem at once
 */
export function defineDriver<Schema extends z.ZodType>(given: DriverDeclaration<Schema>): Driver<Schema> {
  const parsed = declaration.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join(".") || "declaration"}: ${sayIssue(issue)}`);
    throw new UsageError(
      `The driver ${JSON.stringify(given?.site ?? "without a name")} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n${problems.join("\n")}`,
    );
  }
  const { hosts, origin, limits, ...rest } = parsed.data;
  // Everything below was checked above; zod can't express the verbs' types.
  return {
    ...rest,
    hosts: [...(hosts ?? []), ...(origin ? [new URL(origin).host] : [])],
    limits: { ...usualLimits, ...limits },
    [made]: true,
  } as unknown as Driver<Schema>;
}

function sayIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return `does not know ${issue.keys.join(", ")}`;
  if (issue.code === "invalid_key") return issue.issues.map((inner) => inner.message).join("; ");
  if (issue.code === "invalid_union") return 'must be a regular expression, or { text: /…/, within: "css selector" }';
  return issue.message;
}

export function isDriver(value: unknown): value is Driver {
  return typeof value === "object" && value !== null && made in value;
}

/** What the coordinator gets to know of a driver. @param module the driver file's address */
export function toCard(driver: Driver, module: string): DriverCard {
  const { site, hosts, tier, settleMs, concurrency, post, limits, locale, login } = driver;
  const can = { discards: driver.discard !== undefined, imports: driver.importFeed !== undefined };
  return { site, module, hosts: [...hosts], tier, settleMs, concurrency, login, ...can, post, limits, ...(locale && { locale }) };
}
