import type { DriverCard } from "../contract/task.ts";
import type { AddressPolicy } from "../kit/addresses.ts";
import type { MediaPool } from "./pool.ts";

export interface PrepareOptions {
  /** Of the driver's site. */
  limits: DriverCard["limits"];
  /** Base name of the audio file: how the episode is found again on the site. */
  marker: string;
  /** Read in this language when the episode does not say; absent: guessed from the text. */
  language?: string;
  cacheDir: string;
  pool: MediaPool;
  policy: AddressPolicy;
  /** Folders below which local files may be used. */
  mediaDirs?: readonly string[];
  /** How long a file may take to arrive, ms. */
  deadlines?: { imageMs?: number; audioMs?: number };
  /** 0..1 of the whole, and what is being done. */
  onProgress: (share: number, what: string) => void;
  signal: AbortSignal;
}
