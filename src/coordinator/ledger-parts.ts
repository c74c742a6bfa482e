import type { Queue } from "../store/queue.ts";
import type { Vault } from "../store/vault.ts";
import type { Hand } from "./episodes.ts";
import type { Random } from "./ports.ts";
import type { Sessions } from "./sessions.ts";
import type { Database } from "./tables.ts";

/** What the pieces of the ledger work with. */
export interface LedgerParts {
  db: Database;
  vault: Vault;
  queue: Queue;
  random: Random;
  sessions: Sessions;
  /** Who we are, and now. */
  hand(): Hand;
  /** All that was committed is on disk when it returns. */
  flush(): Promise<void>;
}
