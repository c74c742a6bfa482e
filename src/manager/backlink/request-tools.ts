import type { Kysely, Transaction } from "kysely";
import type { Vault } from "../../store/vault.ts";
import type { ManagerTables } from "../tables.ts";
import type { EpisodesOfContent } from "./make-work.ts";

export interface RequestParts {
  db: Kysely<ManagerTables>;
  vault: Vault;
  /** Epoch, ms. */
  now: () => number;
  /** Absent: there are no contents here, and requests that name some can't start. */
  episodesOfContent?: EpisodesOfContent;
}

/** What all handlers of requests and links stand on. */
export interface RequestTools extends RequestParts {
  episodesOfContent: EpisodesOfContent;
  clock: () => Date;
  change<T>(step: (trx: Transaction<ManagerTables>, now: Date) => Promise<T>): Promise<T>;
}
