import type { Transaction } from "kysely";
import type { StudioContext } from "../context.ts";
import type { AssetsTable, StudioTables } from "../schema.ts";
import type { Owner, ProductionRow } from "./find.ts";
import type { Problem } from "./problems.ts";

/** How a resource is saved: made, replaced, or whichever fits. */
export type Mode = "create" | "update" | "either";

/** What each kind's saving is given. */
export interface SaveCall<Input> {
  context: StudioContext;
  /** Of one transaction: where anything is wrong, nothing is done. */
  trx: Transaction<StudioTables>;
  owner: NonNullable<Owner>;
  production: ProductionRow;
  /** Of the address. */
  id: string;
  mode: Mode;
  /** null: what was sent is none; all that can be said all the same is said. */
  input: Input | null;
  /** A first cover for a show that has none, already in the media store. */
  drawn: AssetsTable | null;
  /** All that is wrong with it. */
  problems: Problem[];
}

/** @param exists whether there is one already */
export function checkMode(mode: Mode, exists: boolean, problems: Problem[]): void {
  if (mode === "create" && exists) problems.push({ path: "", message: "there is one already; PUT replaces it, ?f=true as well" });
  if (mode === "update" && !exists) problems.push({ path: "", message: "there is none as yet; POST makes it, ?f=true as well" });
}
