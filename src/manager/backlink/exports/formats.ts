import { csvHead, csvRows, type CsvReader } from "../csv.ts";
import type { Writing } from "./stream-rows.ts";

/** `{…head, [list]: […]}` */
export function asJson<Row>(head: Readonly<Record<string, unknown>>, list: string, show: (row: Row) => object): Writing<Row> {
  const [opening, closing] = [JSON.stringify({ ...head, [list]: [] }).slice(0, -"]}".length), "]}"];
  return {
    format: "json",
    opening,
    write: (rows, isFirst) => (isFirst ? "" : ",") + rows.map((row) => JSON.stringify(show(row))).join(","),
    closing,
  };
}

/** @param columns which of a shown row's fields, in which order */
export function asCsv<Row, Column extends string>(
  columns: readonly Column[],
  reader: CsvReader,
  show: (row: Row) => Readonly<Record<Column, unknown>>,
): Writing<Row> {
  return { format: "csv", opening: csvHead(columns), write: (rows) => csvRows(columns, rows.map(show), reader), closing: "" };
}
