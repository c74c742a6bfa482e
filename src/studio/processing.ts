import { join } from "node:path";
import { Failure } from "../contract/failures.ts";
import { probeAudio } from "../media/audio.ts";
import type { StudioContext } from "./context.ts";
import type { AssetsTable } from "./schema.ts";

const formats: ReadonlySet<string> = new Set(["mp3", "m4a", "wav"]);

/** What happens to audio after its upload. The database knows what is left to do, so a restart takes it up again. */
export class Processing {
  readonly #context: StudioContext;
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(context: StudioContext) {
    this.#context = context;
  }

  /** Takes up what a former process left half-way. */
  async resume(): Promise<void> {
    const rows = await this.#context.db.selectFrom("assets").selectAll().where("state", "=", "processing").orderBy("created_at").execute();
    for (const row of rows) this.add(row);
  }

  add(asset: AssetsTable): void {
    const work = this.#process(asset).catch((error: unknown) =>
      this.#context.log.error("an upload could not be processed; it is tried again at the next start", {
        asset: asset.guid,
        error: String(error),
      }),
    );
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  async #process(asset: AssetsTable): Promise<void> {
    const { clock, edges, db, mediaDir } = this.#context;
    const change = await this.#probe(join(mediaDir, asset.path));
    const waitMs = asset.created_at.getTime() + edges.processingMs - clock.now();
    if (waitMs > 0) await clock.sleep(waitMs, this.#stopping.signal);
    if (this.#stopping.signal.aborted) return;
    await db.updateTable("assets").set(change).where("guid", "=", asset.guid).where("state", "=", "processing").execute();
  }

  async #probe(path: string): Promise<Partial<AssetsTable>> {
    try {
      const { seconds, mime, format } = await probeAudio(path);
      if (!formats.has(format)) return { state: "refused", problem: "audioKind" };
      return { state: "ready", seconds, mime };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { state: "refused", problem: "audioBroken" };
    }
  }
}
