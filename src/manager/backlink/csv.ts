import { stringify, type Options } from "csv-stringify/sync";

/**
 * Who reads it. An import takes each cell as it is. A spreadsheet would take one that begins like a formula for one, and what stands
 * in a link (a site's words in `error_message`, for instance) is not its owner's alone: there an apostrophe goes before it.
 *
 * Accounts are written for an import, which could not tell such an apostrophe from a password's own: whoever opens such a file in a
 * spreadsheet imports its columns as text.
 */
export type CsvReader = "import" | "spreadsheet";

/** RFC 4180: CRLF, quotes where they are needed. What is no text is written as JSON, null as nothing. */
const options: Options = {
  record_delimiter: "windows",
  // By itself it leaves half of a line's end bare.
  quoted_match: /[\r\n]/,
};
const plain = { boolean: String, number: String, object: (value: object) => JSON.stringify(value) };
const casts: Readonly<Record<CsvReader, NonNullable<Options["cast"]>>> = {
  import: plain,
  spreadsheet: { ...plain, string: asText },
};

/** Those of an ASCII keyboard, their wide forms, and blanks that a spreadsheet skips on its way to one of them. */
const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/;

function asText(value: string): string {
  return FORMULA.test(value) ? `'${value}` : value;
}

/** The line of names. */
export function csvHead(columns: readonly string[]): string {
  return stringify([[...columns]], options);
}

export function csvRows<Column extends string>(
  columns: readonly Column[],
  rows: readonly Readonly<Record<Column, unknown>>[],
  reader: CsvReader,
): string {
  return stringify([...rows], { ...options, columns: [...columns], cast: casts[reader] });
}
