import { fileURLToPath } from "node:url";
import type { DriverCard } from "../contract/task.ts";
import { UsageError } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";
import { copyDriver, hashDriver } from "./driver-copy.ts";
import type { WorkerPool } from "./ports.ts";

interface Entry {
  /** The driver file's address; null: the thread knows it by itself, and it never changes. */
  file: string | null;
  hash: string;
  card: DriverCard;
  /** Hash of a newer state that can't be used; it is said once. */
  refused: string;
}

export interface DriverBookOptions {
  /** Addresses of the driver files. */
  modules: readonly string[];
  /** Where copies are kept for as long as the farm runs. */
  folder: string;
  pool: Pick<WorkerPool, "describe">;
  log: Log;
}

/**
 * The drivers of this farm. A file that has changed is used by the next run that needs it, without a restart; one that can't
 * be used any more is refused, and what was loaded before stays in use, in new threads as well.
 */
export class DriverBook {
  readonly #o: DriverBookOptions;
  readonly #entries: Entry[] = [];

  private constructor(options: DriverBookOptions) {
    this.#o = options;
  }

  /** @throws UsageError naming every driver file with a problem */
  static async open(options: DriverBookOptions): Promise<DriverBook> {
    const book = new DriverBook(options);
    const copies = await Promise.all(options.modules.map(async (file) => ({ file, ...(await copyDriver(file, options.folder)) })));
    const { cards, problems } = await options.pool.describe(copies.map(({ module }) => module));
    if (problems.length > 0)
      throw new UsageError(
        `${problems.length === 1 ? "A driver can't" : `${problems.length} drivers can't`} be used:\n${problems.map(({ module, message }) => `  ${fileURLToPath(module)}: ${message}`).join("\n")}\nMend or remove it; \`podcrew driver list\` shows all.`,
      );
    for (const card of cards) {
      const copy = copies.find(({ module }) => module === card.module);
      book.#entries.push({ file: copy?.file ?? null, hash: copy?.hash ?? "", card, refused: "" });
    }
    return book;
  }

  get cards(): readonly DriverCard[] {
    return this.#entries.map(({ card }) => card);
  }

  /** @returns the card of the driver's file as it is now, or the one that was given where that can't be used. Never throws. */
  async fresh(card: DriverCard): Promise<DriverCard> {
    const entry = this.#entries.find((one) => one.card.site === card.site);
    if (!entry?.file) return card;
    const { file } = entry;
    try {
      const hash = await hashDriver(file);
      if (hash !== entry.hash && hash !== entry.refused) await this.#reload(entry, file);
      else if (hash === entry.hash) entry.refused = "";
    } catch (error) {
      this.#refuse(entry, "unreadable", error instanceof Error ? error.message : String(error));
    }
    return entry.card;
  }

  async #reload(entry: Entry, file: string): Promise<void> {
    const { pool, folder, log } = this.#o;
    const { hash, module } = await copyDriver(file, folder);
    const { cards, problems } = await pool.describe([module], { alone: true });
    const [card] = cards;
    if (!card) return this.#refuse(entry, hash, problems[0]?.message ?? "it says nothing");
    if (card.site !== entry.card.site)
      return this.#refuse(entry, hash, `its site was "${entry.card.site}" and is now "${card.site}": a new name needs a restart`);
    Object.assign(entry, { hash, card, refused: "" });
    log.info("the changed driver is used from now on", { site: card.site, driver: fileURLToPath(file) });
  }

  #refuse(entry: Entry, hash: string, why: string): void {
    if (entry.refused === hash) return;
    entry.refused = hash;
    this.#o.log.warn(`the changed driver can't be used: ${why}. The one before it stays in use`, {
      site: entry.card.site,
      ...(entry.file && { driver: fileURLToPath(entry.file) }),
    });
  }
}
