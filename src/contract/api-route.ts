import { z } from "zod";

/**
 * Who may call the manager. A viewer reads, an operator works, an owner also has people, credits and secrets; the rest are scopes of
 * API keys. `open`: nobody needs to be known.
 */
export type Needs = "open" | "viewer" | "operator" | "owner" | "content:read" | "content:write" | "worker";

/**
 * One call of an API: what it takes and gives. The server, the OpenAPI document and the client are all made of it.
 * @typeParam Need who may call, in the words of its API
 */
export interface ApiRoute<Need extends string = Needs> {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Under the API's prefix, parameters as ":name". */
  path: string;
  summary: string;
  /** The row of the API's text that it is, such as "B3"; absent: additive. */
  row?: string;
  needs: Need;
  /** Parameters of the path that are one of some words; under another word there is nothing. */
  words?: Readonly<Record<string, readonly string[]>>;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** Of the answer that is no refusal. */
  answer: z.ZodType;
  /** Default 200; 204 has no body. */
  status?: 200 | 201 | 202 | 204;
  /** What else it may be, with what is answered then; a handler says so by `answered`. */
  otherwise?: Readonly<Record<number, { when: string; answer: z.ZodType }>>;
  /** A file goes one way: sent as a multipart field or as the body itself, or answered as it is. */
  file?: "sent" | "raw" | "answered";
  /** Of a file that is sent; default "file". */
  fileField?: string;
  /** The answer has no bound: it comes piece by piece, and one that breaks off breaks the connection. */
  streamed?: true;
  /** Imports may be larger than the 1 MiB of other bodies. */
  bodyLimitBytes?: number;
}

export type ApiRoutes<Need extends string = Needs> = Readonly<Record<string, ApiRoute<Need>>>;

type Parameters<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | Parameters<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

/** What a route's handler is given. */
export interface Given<Route extends ApiRoute<string>> {
  params: { readonly [Name in Parameters<Route["path"]>]: Route["words"] extends Record<Name, readonly (infer Word)[]> ? Word : string };
  query: Route["query"] extends z.ZodType ? z.output<Route["query"]> : Record<string, never>;
  body: Route["body"] extends z.ZodType ? z.output<Route["body"]> : undefined;
}

export const MAX_PAGE_SIZE = 100;
export const MAX_TEXT_CHARACTERS = 100_000;

/** A whole number in a query: below the least is the least, above the most the most; what is no number is refused. */
function whole({ least, most, otherwise }: { least: number; most: number; otherwise: number }) {
  return z
    .string()
    .optional()
    .transform((text, context) => {
      if (text === undefined || text.trim() === "") return otherwise;
      const number = Number(text);
      if (Number.isFinite(number)) return Math.min(most, Math.max(least, Math.trunc(number)));
      context.issues.push({ code: "invalid_type", expected: "number", input: text, message: "not a number" });
      return z.NEVER;
    });
}

export const page = whole({ least: 1, most: 1_000_000_000, otherwise: 1 }).describe("from 1");
export const limit = whole({ least: 1, most: MAX_PAGE_SIZE, otherwise: 20 }).describe("1 to 100");
export const count = whole({ least: 0, most: 1_000_000_000, otherwise: 0 });

/** A word of a query; "" is none. A NUL is refused as it is in a body. */
export function queryText({ most }: { most: number }) {
  return z
    .string()
    .max(most)
    .default("")
    .transform((text, context) => {
      if (!text.includes("\0")) return text;
      context.issues.push({ code: "invalid_type", expected: "string", input: text, message: "holds a NUL character" });
      return z.NEVER;
    });
}

export const search = queryText({ most: 200 }).describe("in any letter case");

/** "" and absent mean "any"; anything else has to be one of them. */
export function anyOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  const known: readonly string[] = words;
  return z
    .string()
    .optional()
    .transform((text, context): Words[number] | null => {
      if (text === undefined || text === "") return null;
      if (known.includes(text)) return text;
      context.issues.push({ code: "invalid_type", expected: "string", input: text, message: `one of ${words.join(", ")}` });
      return z.NEVER;
    })
    .describe(words.join(" | "));
}

/** What a list may be sorted by; the newest first unless it says otherwise. */
export function sorting<const Columns extends readonly [string, ...string[]]>(columns: Columns) {
  return {
    sort: anyOf(columns)
      .transform((column) => column ?? ("created_at" as const))
      .describe(columns.join(" | ")),
    order: anyOf(["asc", "desc"])
      .transform((order) => order ?? ("desc" as const))
      .describe("asc | desc"),
  };
}

const wellFormed = (value: string): boolean => !value.includes("\0") && value.isWellFormed();

/** Any text, kept as it is. */
export const text = z.string().max(MAX_TEXT_CHARACTERS).refine(wellFormed, "holds a NUL character or half a character");
/** A name: trimmed, 1 to 200 characters. */
export const name = z
  .string()
  .transform((value) => value.trim())
  .pipe(z.string().min(1, "is empty").max(200).refine(wellFormed, "holds a NUL character or half a character"));
export const httpUrl = z.url({ protocol: /^https?$/, error: "not an http(s) address" }).max(2000);
export const time = z.iso.datetime();
export const uuid = z.uuid();

/** {success, data, total, page, limit} */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ success: z.literal(true), data: z.array(item), total: z.number(), page: z.number(), limit: z.number() });
}

export const done = z.object({ success: z.literal(true) });
export const bulkBody = z.object({ ids: z.array(z.string()).min(1).max(1000) });
export const bulkAnswer = z.object({
  success: z.literal(true),
  results: z.array(z.object({ id: z.string(), ok: z.boolean(), message: z.string().optional() })),
});
