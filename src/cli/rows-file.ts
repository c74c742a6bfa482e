import { readFile } from "node:fs/promises";
import { CsvError, parse } from "csv-parse/sync";
import { UsageError } from "../kit/config.ts";
import { readJsonText } from "../kit/json-text.ts";

type Row = Record<string, unknown>;

export interface RowsKind {
  /** Under this name an object of JSON holds them; also what they are called. */
  list: string;
  /** A column without which it is another file; null: it may be any. */
  needed: string | null;
  /** What a row may have: `taken`, and what is of an export but not for an import. */
  columns: { taken: readonly string[]; ignored: readonly string[] };
  /** Exported for a spreadsheet, with an apostrophe before what it would take for a formula. */
  forSpreadsheet?: boolean;
}

/**
 * Rows of a CSV file with a line of names (commas, semicolons or tabs between them), or of a JSON file: a list, an object that holds
 * one, or one object. What is wrong is said without a value of the file, which may be a password.
 * @throws UsageError
 */
export async function readRows(file: string, kind: RowsKind): Promise<Row[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${file} can't be read (${error.code}).`);
  });
  const isJson = file.toLowerCase().endsWith(".json");
  const rows = isJson ? ofJson(file, text, kind) : ofCsv(file, text, kind);
  if (rows.length === 0) throw new UsageError(`${file} has no rows.`);
  return rows;
}

/**
 * A name that is misspelt would lose its column without a word. Names are quoted only where they are beyond doubt none of the values
 * of a file that has no line of names.
 * @throws UsageError
 */
function checkNames(where: string, names: readonly string[], what: "column" | "field", { list, columns }: RowsKind): void {
  const { taken, ignored } = columns;
  const all = taken.join(", ");
  const unknown = names.filter((name) => !taken.includes(name) && !ignored.includes(name));
  if (names.length > 0 && unknown.length === names.length)
    throw new UsageError(`${where} holds no names of ${what}s; ${list} have ${all}.`);
  if (unknown.length > 0) throw new UsageError(`${where} has a ${what} "${unknown[0]}", which ${list} don't have; they have ${all}.`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`${where} has the ${what} "${twice}" twice.`);
}

/** Of names that may be an account, where its file has no line of names, only those are quoted that are known. @throws UsageError */
function checkHeader(where: string, names: readonly string[], kind: RowsKind): void {
  const { needed, columns } = kind;
  const known = names.filter((name) => columns.taken.includes(name) || columns.ignored.includes(name));
  if (known.length > 0 && needed !== null && !known.includes(needed))
    throw new UsageError(`${where} has no "${needed}"; of the known columns it has ${known.join(", ")}.`);
  checkNames(where, names, "column", kind);
}

/** The apostrophe of an export, which is none of the text's own. */
const BEFORE_FORMULA = /^'(?=[=+\-@＝＋－＠\t\r\n])/;

const csvProblems: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote (") is opened and never closed',
  CSV_INVALID_CLOSING_QUOTE: 'text follows a closing quote; a quote within a text is written twice ("")',
  INVALID_OPENING_QUOTE: 'a quote (") stands within a text that does not begin with one',
  CSV_RECORD_INCONSISTENT_COLUMNS: "there are more or fewer columns than in the first line",
};

function ofCsv(file: string, text: string, kind: RowsKind): Row[] {
  const firstLine = text.slice(0, text.search(/[\r\n]|$/));
  const delimiter = [",", ";", "\t"].find((one) => firstLine.includes(one)) ?? ",";
  // A blank in a table says nothing of a field; in JSON an empty text clears it.
  const cell = (value: string): string | null => (kind.forSpreadsheet ? value.replace(BEFORE_FORMULA, "") : value) || null;
  let names: readonly string[] = [];
  try {
    return parse(text, {
      columns(first: string[]) {
        checkHeader(`${file}: the first line`, first.filter(Boolean), kind);
        names = first;
        return first.map((name) => name || false);
      },
      bom: true,
      delimiter,
      skip_empty_lines: true,
      trim: false,
      cast: (value, { header }) => (header ? value.trim() : cell(value)),
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code = "", lines, column } = (error instanceof CsvError ? error : {}) as { code?: string; lines?: number; column?: unknown };
    const at = typeof column === "string" && names.includes(column) ? `, column "${column}"` : "";
    // Not the parser's own words, nor it as the cause: both hold what stands there.
    throw new UsageError(`${file} is no CSV: line ${lines}${at}: ${csvProblems[code] ?? code}.`);
  }
}

function ofJson(file: string, text: string, kind: RowsKind): Row[] {
  const { list, needed } = kind;
  const given = readJsonText(file, text);
  const held = isRow(given) && list in given ? given[list] : given;
  const rows = Array.isArray(held) ? (held as unknown[]) : [held];
  for (const [index, row] of rows.entries()) {
    if (!isRow(row)) throw new UsageError(`${file} holds no list of ${list}: number ${index + 1} is no object.`);
    checkNames(rows.length > 1 ? `${file}: number ${index + 1}` : file, Object.keys(row), "field", kind);
  }
  if (rows.length > 0 && needed !== null && !(rows as Row[]).some((row) => row[needed] !== undefined))
    throw new UsageError(`${file} has no "${needed}".`);
  return rows as Row[];
}

const isRow = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);
