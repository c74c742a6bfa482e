import type { OrderByItemBuilder } from "kysely";

/** What is not there yet comes last in both directions. Only where it may be: the indexes have their columns without NULLS LAST. */
const mayBeAbsent: readonly string[] = ["started_at", "completed_at"];

export function direction(sort: string, order: "asc" | "desc") {
  return (by: OrderByItemBuilder): OrderByItemBuilder => {
    const turned = order === "asc" ? by.asc() : by.desc();
    return mayBeAbsent.includes(sort) ? turned.nullsLast() : turned;
  };
}

/** Makes the order total; against the other direction, as the indexes have it. */
export function tieBreak(order: "asc" | "desc"): "asc" | "desc" {
  return order === "asc" ? "desc" : "asc";
}
