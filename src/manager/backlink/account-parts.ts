import type { Kysely } from "kysely";
import type { Vault } from "../../store/vault.ts";
import type { AnnouncedSites } from "../announced-sites.ts";
import type { ManagerTables } from "../tables.ts";
import type { Making } from "./account-record.ts";
import { readSupportedSites } from "./supported-sites.ts";

export interface AccountParts {
  db: Kysely<ManagerTables>;
  vault: Vault;
  announced: AnnouncedSites;
  /** Epoch, ms. */
  now: () => number;
}

/** @param vault through which secrets go: the parts' own, or its `bulk` */
export async function makingNow({ announced, now }: AccountParts, vault: Making["vault"]): Promise<Making> {
  return { vault, supported: await readSupportedSites(announced), now: new Date(now()) };
}
