import type { AddressPolicy } from "../kit/addresses.ts";
import type { Clock } from "../kit/clock.ts";
import type { Log } from "../kit/log.ts";
import type { MediaAddress } from "../kit/media-address.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../store/vault.ts";
import type { Edges } from "./edges.ts";
import type { Mailer } from "./mailer.ts";
import type { MediaStore } from "./media/store.ts";
import type { StudioMetrics } from "./metrics.ts";
import type { StudioDb } from "./schema.ts";

export interface StudioConfig {
  host: string;
  port: number;
  allowedHosts: readonly string[];
  /** Origin as others see it; absent: the listener's own. */
  publicUrl?: string | undefined;
  /** The installation's data folder; the studio keeps its files in `<dataDir>/studio`. */
  dataDir: string;
  /** Where media are kept; absent: on disk, in `<dataDir>/studio/media`. */
  mediaStore?: MediaAddress | undefined;
  mediaStoreKeyId?: string | undefined;
  mediaStoreSecret?: string | undefined;
  /** smtp://, smtps:// or lmtp://; absent: no account may have its codes mailed. */
  smtpUrl?: string | undefined;
  mailFrom: string;
  /** Hosts of private networks from which shows may be imported; this studio's own always. */
  allowPrivate?: readonly string[];
  timeZone: string;
}

/** What every piece of the studio works with. */
export interface StudioContext {
  readonly db: StudioDb;
  readonly store: Store;
  readonly vault: Pick<Vault, "seal" | "open">;
  readonly log: Log;
  readonly clock: Clock;
  readonly config: StudioConfig;
  readonly edges: Edges;
  readonly mailer: Mailer | null;
  readonly metrics: StudioMetrics;
  /** The files that the world may fetch. */
  readonly media: MediaStore;
  /** Folder of uploads that are under way. */
  readonly uploadDir: string;
  /** What may be fetched for somebody who imports a show. */
  policy: AddressPolicy;
  /** Origin as others see it; known once the studio listens. */
  publicUrl: string;
  /** e.g. "0.1.0" */
  readonly version: string;
}
