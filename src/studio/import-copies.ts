import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../contract/failures.ts";
import { download } from "../media/download.ts";
import type { StudioContext } from "./context.ts";
import { newGuid, newToken, slugify } from "./ids.ts";
import type { Processing } from "./processing.ts";
import { Refused } from "./refused.ts";
import { texts } from "./texts.ts";
import { MAX_AUDIO_BYTES, takeUpload } from "./uploads.ts";

const DOWNLOAD_MS = 10 * 60_000;
const MAX_TRIES = 3;
const REST_MS = 10_000;

/** Copies the episodes of imported shows, one after another. The database knows what is left, so a restart goes on with it. */
export class ImportCopies {
  readonly #context: StudioContext;
  readonly #processing: Processing;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #busy = false;
  #again = false;

  constructor(context: StudioContext, processing: Processing) {
    this.#context = context;
    this.#processing = processing;
  }

  /** There may be something to copy. */
  wake(): void {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    this.#running = this.#copyAll()
      .catch((error: unknown) => this.#context.log.error("imported episodes wait for the next start", { error: String(error) }))
      .finally(() => (this.#busy = false));
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #copyAll(): Promise<void> {
    const { db, log } = this.#context;
    const { signal } = this.#stopping;
    while (this.#again && !signal.aborted) {
      this.#again = false;
      for (let next = await this.#next(); next && !signal.aborted; next = await this.#next()) {
        const problem = await this.#copy(next);
        if (problem === null || signal.aborted) continue;
        const tries = next.tries + 1;
        const state = tries < MAX_TRIES ? "waiting" : "failed";
        await db.updateTable("import_episodes").set({ tries, problem, state }).where("id", "=", next.id).execute();
        log.warn(`an imported episode could not be copied: ${problem}`, { title: next.title, state });
        if (state === "waiting") await delay(REST_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Those that have failed least come first: one that is gone must not hold up the rest. */
  async #next(): Promise<Waiting | undefined> {
    return this.#context.db
      .selectFrom("import_episodes as e")
      .innerJoin("imports as i", "i.guid", "e.import_guid")
      .innerJoin("shows as s", "s.guid", "i.show_guid")
      .select(["e.id", "e.title", "e.about_html", "e.audio_url", "e.published_at", "e.tries", "s.guid as show"])
      .where("e.state", "=", "waiting")
      .orderBy("e.tries")
      .orderBy("e.id")
      .executeTakeFirst();
  }

  /** @returns null when it is copied, else why not */
  async #copy(episode: Waiting): Promise<string | null> {
    const { uploadDir, policy } = this.#context;
    const toPath = join(uploadDir, `${newToken()}.import`);
    try {
      const { signal } = this.#stopping;
      await download(episode.audio_url, { toPath, maxBytes: MAX_AUDIO_BYTES, deadlineMs: DOWNLOAD_MS, policy, signal, kind: "audio" });
      const fileName = basename(new URL(episode.audio_url).pathname);
      const asset = await takeUpload(this.#context, episode.show, { kind: "audio", fileName, stream: createReadStream(toPath) });
      await this.#keep(episode, asset.guid);
      this.#processing.add(asset);
      return null;
    } catch (error) {
      if (this.#stopping.signal.aborted) return "the studio closes";
      if (error instanceof Failure) return error.message;
      if (error instanceof Refused) return texts.en[error.text];
      throw error;
    } finally {
      await rm(toPath, { force: true });
    }
  }

  /** In the feed once its audio is processed. */
  async #keep({ id, show, title, about_html, published_at }: Waiting, audio: string): Promise<void> {
    const { db, clock } = this.#context;
    const now = new Date(clock.now());
    const guid = newGuid();
    await db.transaction().execute(async (trx) => {
      await trx
        .insertInto("episodes")
        .values({
          guid,
          parent: show,
          slug: [slugify(title), guid].filter(Boolean).join("-"),
          title,
          about_html,
          audio,
          cover: null,
          machine_voice: false,
          state: "published",
          publish_at: null,
          published_at,
          created_at: now,
          updated_at: now,
        })
        .execute();
      await trx.updateTable("import_episodes").set({ state: "done", problem: "" }).where("id", "=", id).execute();
      await trx
        .updateTable("productions")
        .set({ published: true, latest_publish_at: now, build_at: now })
        .where("guid", "=", show)
        .execute();
    });
  }
}

interface Waiting {
  id: number;
  title: string;
  about_html: string;
  audio_url: string;
  published_at: Date;
  tries: number;
  /** Its show's guid. */
  show: string;
}
