import { types as pgTypes } from "pg";

/** Typed for the types it knows; it takes any. */
const builtIn = pgTypes.getTypeParser as (oid: number) => (text: string) => unknown;

/**
 * What a row holds is the same on both backends:
 *   int2, int4, int8 -> number (a larger int8 than 2^53 throws: keep such a thing as text); numeric -> text, exact
 *   timestamptz -> Date (the one type for moments); timestamp, date, time, interval -> text as PostgreSQL writes it
 *   json, jsonb -> parsed; bytea -> Buffer; arrays of these -> arrays
 * Into a query: Date, number, text, boolean, null, Buffer; JSON as `JSON.stringify(value)`, for PostgreSQL's driver takes an
 * array for a PostgreSQL array.
 */
const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [17, (text) => Buffer.from(text.slice(2), "hex")],
  [20, safeInteger],
  [1082, verbatim],
  [1083, verbatim],
  [1114, verbatim],
  [1184, (text) => moment(text)],
  [1186, verbatim],
  [1700, verbatim],
]);
/** Array type -> its element's. */
const arrays: ReadonlyMap<number, number> = new Map([
  [1001, 17],
  [1016, 20],
  [1182, 1082],
  [1183, 1083],
  [1115, 1114],
  [1185, 1184],
  [1187, 1186],
  [1231, 1700],
]);

function verbatim(text: string): string {
  return text;
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the integer ${text} is too large for a number: keep it as text`);
  return value;
}

/** "2026-11-21 02:34:00.123456+07" as ISO 8601; the years before 1 and after 9999 are not ours. */
function moment(text: string): Date | number {
  if (text === "infinity") return Infinity;
  if (text === "-infinity") return -Infinity;
  return new Date(text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"));
}

/** For PGlite's `parsers`, which derives the arrays itself. */
export const pgliteParsers: Record<number, (text: string) => unknown> = Object.fromEntries(parsers);

/** For node-postgres' `types`: its own parsers but for those above. */
export const postgresTypes = {
  // node-postgres asks for the text form unless a query says otherwise, and none of ours does.
  getTypeParser(oid: number): (text: string) => unknown {
    return parsers.get(oid) ?? arrayParser(oid) ?? builtIn(oid);
  },
};

const TEXT_ARRAY = 1009;

function arrayParser(oid: number): ((text: string) => unknown) | undefined {
  const element = parsers.get(arrays.get(oid) ?? 0);
  if (!element) return undefined;
  const asTexts = builtIn(TEXT_ARRAY);
  const map = (value: unknown): unknown => (Array.isArray(value) ? value.map(map) : value === null ? null : element(value as string));
  return (text) => map(asTexts(text));
}
