import { Failure } from "../contract/failures.ts";
import { probeAudio } from "../media/audio.ts";
import type { StudioContext } from "./context.ts";
import { S3Error } from "./media/s3-client.ts";
import type { AssetsTable } from "./schema.ts";

const formats: ReadonlySet<string> = new Set(["mp3", "m4a", "wav"]);

const STORE_REST_MS = 30_000;
const broken: Partial<AssetsTable> = { state: "refused", problem: "audioBroken" };

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

  /** The same, for somebody who waits for it; when it is done, its row says how it went. */
  async finish(asset: AssetsTable): Promise<void> {
    this.add(asset);
    await [...this.#running].at(-1);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  async #process(asset: AssetsTable): Promise<void> {
    const { clock, edges, db } = this.#context;
    const change = await this.#learn(asset);
    const waitMs = asset.created_at.getTime() + edges.processingMs - clock.now();
    if (waitMs > 0) await clock.sleep(waitMs, this.#stopping.signal);
    if (this.#stopping.signal.aborted) return;
    await db.updateTable("assets").set(change).where("guid", "=", asset.guid).where("state", "=", "processing").execute();
  }

  /** While the store is away, the file waits. One that is gone can't be played either. */
  async #learn(asset: AssetsTable): Promise<Partial<AssetsTable>> {
    const { clock, log, media } = this.#context;
    for (;;) {
      try {
        return (await media.withLocalFile(asset.path, async (path) => this.#probe(path))) ?? broken;
      } catch (error) {
        if (!(error instanceof S3Error) || this.#stopping.signal.aborted) throw error;
        log.warn("an upload can't be processed while the media store is away", { asset: asset.guid, error: error.message });
        await clock.sleep(STORE_REST_MS, this.#stopping.signal);
      }
    }
  }

  async #probe(path: string): Promise<Partial<AssetsTable>> {
    try {
      const { seconds, mime, format } = await probeAudio(path);
      if (!formats.has(format)) return { state: "refused", problem: "audioKind" };
      return { state: "ready", seconds, mime };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return broken;
    }
  }
}
