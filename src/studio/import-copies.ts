import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { Failure } from "../contract/failures.ts";
import { isDiskError } from "../media/disk.ts";
import { download } from "../media/download.ts";
import type { StudioContext } from "./context.ts";
import { newGuid, newToken, slugify } from "./ids.ts";
import { lockProduction } from "./lock.ts";
import { MAX_AUDIO_BYTES } from "./media/kinds.ts";
import { S3Error } from "./media/s3-client.ts";
import type { Processing } from "./processing.ts";
import { Refused } from "./refused.ts";
import { Rounds } from "./rounds.ts";
import { texts } from "./texts.ts";
import { takeUpload } from "./uploads.ts";

const DOWNLOAD_MS = 10 * 60_000;
/** A host that is down for an hour or two loses nothing: 10 s, 40 s, 3 min, 11 min, 43 min, and an hour three times. */
const MAX_TRIES = 9;
const FIRST_REST_MS = 10_000;
const LONGEST_REST_MS = 3_600_000;
/** Room on a full disk is made by people. */
const DISK_REST_MS = 60_000;

/** Copies the episodes of imported shows, one after another. The database knows what is left, so a restart goes on with it. */
export class ImportCopies extends Rounds {
  readonly #context: StudioContext;
  readonly #processing: Processing;

  constructor(context: StudioContext, processing: Processing) {
    super(context.clock, LONGEST_REST_MS);
    this.#context = context;
    this.#processing = processing;
  }

  protected override async round(): Promise<number> {
    const { signal } = this.stopping;
    for (let next = await this.#next(); next && !signal.aborted; next = await this.#next()) await this.#try(next);
    return this.#nextDueAt();
  }

  protected override failed(error: unknown): void {
    this.#context.log.error("imported episodes could not be looked at; tried again in a minute", { error: String(error) });
  }

  async #try(episode: Waiting): Promise<void> {
    const { db, log, clock } = this.#context;
    const failed = await this.#copy(episode);
    if (failed === null || this.stopping.signal.aborted) return;
    const { problem, ofOurs } = failed;
    const tries = episode.tries + (ofOurs ? 0 : 1);
    const state = tries < MAX_TRIES ? "waiting" : "failed";
    const rest = ofOurs ? DISK_REST_MS : Math.min(FIRST_REST_MS * 4 ** (tries - 1), LONGEST_REST_MS);
    const not_before = new Date(clock.now() + rest);
    await db.updateTable("import_episodes").set({ tries, problem, state, not_before }).where("id", "=", episode.id).execute();
    log.warn(`an imported episode could not be copied: ${problem}`, { title: episode.title, state });
  }

  /** Of imports whose show is there. */
  #waiting() {
    return this.#context.db
      .selectFrom("import_episodes as e")
      .innerJoin("imports as i", "i.guid", "e.import_guid")
      .innerJoin("shows as s", "s.guid", "i.show_guid")
      .where("e.state", "=", "waiting");
  }

  /** @returns epoch, ms; Infinity when nothing rests */
  async #nextDueAt(): Promise<number> {
    const { next } = await this.#waiting()
      .select((eb) => eb.fn.min("e.not_before").as("next"))
      .executeTakeFirstOrThrow();
    return next?.getTime() ?? Infinity;
  }

  /** Those that have failed least come first: one that is gone must not hold up the rest. */
  async #next(): Promise<Waiting | undefined> {
    const now = new Date(this.#context.clock.now());
    return this.#waiting()
      .select(["e.id", "e.title", "e.about_html", "e.audio_url", "e.published_at", "e.tries", "e.guid", "s.guid as show"])
      .where((eb) => eb.or([eb("e.not_before", "is", null), eb("e.not_before", "<=", now)]))
      .orderBy("e.tries")
      .orderBy("e.id")
      .executeTakeFirst();
  }

  /** @returns null when it is copied, else why not; `ofOurs`: not the other host's doing */
  async #copy(episode: Waiting): Promise<{ problem: string; ofOurs: boolean } | null> {
    const { uploadDir, policy } = this.#context;
    const toPath = join(uploadDir, `${newToken()}.import`);
    try {
      const { signal } = this.stopping;
      await download(episode.audio_url, { toPath, maxBytes: MAX_AUDIO_BYTES, deadlineMs: DOWNLOAD_MS, policy, signal, kind: "audio" });
      const fileName = basename(new URL(episode.audio_url).pathname);
      const asset = await takeUpload(this.#context, episode.show, { kind: "audio", fileName, stream: createReadStream(toPath) });
      await this.#keep(episode, asset.guid);
      this.#processing.add(asset);
      return null;
    } catch (error) {
      if (this.stopping.signal.aborted) return { problem: "the studio closes", ofOurs: true };
      if (error instanceof Failure) return { problem: error.message, ofOurs: error.code === "farm.disk" };
      if (error instanceof S3Error) return { problem: `the media store ${error.message}`, ofOurs: true };
      if (error instanceof Refused) return { problem: texts.en[error.text], ofOurs: false };
      if (isDiskError(error)) return { problem: "the studio's disk takes nothing more", ofOurs: true };
      this.#context.log.error("an imported episode could not be copied", { title: episode.title, error: String(error) });
      return { problem: "an error of the studio's own, which its log names", ofOurs: false };
    } finally {
      await rm(toPath, { force: true });
    }
  }

  /** In the feed once its audio is processed. */
  async #keep({ id, show, title, about_html, published_at, guid: feedGuid }: Waiting, audio: string): Promise<void> {
    const { db, clock } = this.#context;
    const now = new Date(clock.now());
    const guid = newGuid();
    await db.transaction().execute(async (trx) => {
      await lockProduction(trx, show);
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
          name: null,
          builds: false,
          dated_at: null,
          feed_guid: feedGuid,
          details: "{}",
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
  /** In the feed that it comes from; null: none of its own. */
  guid: string | null;
  /** Its show's guid. */
  show: string;
}
