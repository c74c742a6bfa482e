import { sql } from "kysely";

/** The right side of `column = …`: one parameter, however many values. */
export function anyOf(values: readonly string[], type: "text" | "uuid" = "text") {
  return sql<string>`any(${[...values]}::${sql.raw(type)}[])`;
}
