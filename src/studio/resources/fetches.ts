import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { failures, Failure } from "../../contract/failures.ts";
import { fitCover } from "../../media/cover.ts";
import { isDiskError } from "../../media/disk.ts";
import { download } from "../../media/download.ts";
import type { StudioContext } from "../context.ts";
import { newToken } from "../ids.ts";
import { lockProduction } from "../lock.ts";
import { MAX_AUDIO_BYTES, MAX_COVER_BYTES } from "../media/kinds.ts";
import { S3Error } from "../media/s3-client.ts";
import type { Processing } from "../processing.ts";
import { Refused } from "../refused.ts";
import { AFTER_ERROR_MS, Rounds } from "../rounds.ts";
import type { AssetsTable } from "../schema.ts";
import { takeUpload } from "../uploads.ts";
import { refusalText } from "./answer.ts";
import { showNextCover } from "./next-cover.ts";

const DOWNLOAD_MS = 10 * 60_000;
const AT_A_TIME = 3;
/** A host that is down for an hour or two loses nothing: 10 s, 40 s, 3 min, 11 min, 43 min, and an hour three times. */
const MAX_TRIES = 9;
const FIRST_REST_MS = 10_000;
const LONGEST_REST_MS = 3_600_000;
/** Room on a full disk is made by people. */
const DISK_REST_MS = 60_000;
/** What is elsewhere need not fit: it is made to. */
const coverLimits = { minPixels: 1400, maxPixels: 3000, maxBytes: MAX_COVER_BYTES } as const;

interface Waiting {
  guid: string;
  parent: string;
  kind: AssetsTable["kind"];
  uri: string;
  name: string | null;
  tries: number;
}

/** Fetches what resources import. The database knows what is left, so a restart goes on with it. */
export class Fetches extends Rounds {
  readonly #context: StudioContext;
  readonly #processing: Processing;
  readonly #running = new Map<string, Promise<void>>();
  /** Of those, what came to its end; a round forgets it before it asks the database, so that no older answer brings it again. */
  readonly #ended = new Set<string>();

  constructor(context: StudioContext, processing: Processing) {
    super(context.clock, LONGEST_REST_MS);
    this.#context = context;
    this.#processing = processing;
  }

  /** Waits for no file: who asks for one next is not behind a slow host. */
  protected override async round(): Promise<number> {
    for (const guid of this.#ended) this.#running.delete(guid);
    this.#ended.clear();
    while (this.#running.size < AT_A_TIME) {
      const next = await this.#next();
      if (!next || this.stopping.signal.aborted) return this.#nextDueAt();
      this.#running.set(next.guid, this.#run(next));
    }
    return Infinity;
  }

  override async close(): Promise<void> {
    await super.close();
    await Promise.all(this.#running.values());
  }

  async #run(next: Waiting): Promise<void> {
    await this.#try(next).catch(async (error: unknown) => {
      this.failed(error);
      await this.#context.clock.sleep(AFTER_ERROR_MS, this.stopping.signal);
    });
    this.#ended.add(next.guid);
    this.wake();
  }

  protected override failed(error: unknown): void {
    this.#context.log.error("files that are to be imported could not be looked at; tried again in a minute", { error: String(error) });
  }

  #waiting() {
    return this.#context.db
      .selectFrom("assets as a")
      .innerJoin("asset_refs as r", "r.asset", "a.guid")
      .where("a.state", "=", "waiting")
      .where("r.rel", "=", "import");
  }

  /** Those that have failed least come first: one that is gone must not hold up the rest. */
  async #next(): Promise<Waiting | null> {
    const now = new Date(this.#context.clock.now());
    const due = await this.#waiting()
      .select(["a.guid", "a.parent", "a.kind", "r.uri", "r.name", "r.tries"])
      .where((eb) => eb.or([eb("r.not_before", "is", null), eb("r.not_before", "<=", now)]))
      .orderBy("r.tries")
      .orderBy("a.created_at")
      .orderBy("a.guid")
      .limit(AT_A_TIME)
      .execute();
    return due.find(({ guid }) => !this.#running.has(guid)) ?? null;
  }

  /** Of those that nobody is at. @returns epoch, ms; Infinity when nothing rests */
  async #nextDueAt(): Promise<number> {
    const running = [...this.#running.keys()];
    const { next } = await this.#waiting()
      .select((eb) => eb.fn.min("r.not_before").as("next"))
      .$if(running.length > 0, (query) => query.where("a.guid", "not in", running))
      .executeTakeFirstOrThrow();
    return next?.getTime() ?? Infinity;
  }

  async #try(waiting: Waiting): Promise<void> {
    const { db, log, clock } = this.#context;
    const failed = await this.#fetch(waiting);
    if (failed === null || this.stopping.signal.aborted) return;
    const { problem, ofOurs, forGood } = failed;
    const tries = waiting.tries + (ofOurs ? 0 : 1);
    const rest = ofOurs ? DISK_REST_MS : Math.min(FIRST_REST_MS * 4 ** (tries - 1), LONGEST_REST_MS);
    await db
      .updateTable("asset_refs")
      .set({ tries, problem, not_before: new Date(clock.now() + rest) })
      .where("asset", "=", waiting.guid)
      .execute();
    if (forGood || tries >= MAX_TRIES)
      await db.updateTable("assets").set({ state: "refused" }).where("guid", "=", waiting.guid).where("state", "=", "waiting").execute();
    log.warn(`a file could not be imported: ${problem}`, { asset: waiting.guid, try: tries });
  }

  /** @returns null when it is here, else why not; `ofOurs`: not the other host's doing; `forGood`: another try changes nothing */
  async #fetch(waiting: Waiting): Promise<{ problem: string; ofOurs: boolean; forGood: boolean } | null> {
    const { uploadDir, policy } = this.#context;
    const toPath = join(uploadDir, `${newToken()}.import`);
    const { kind, uri } = waiting;
    try {
      const { signal } = this.stopping;
      const maxBytes = kind === "audio" ? MAX_AUDIO_BYTES : 2 * MAX_COVER_BYTES;
      await download(uri, { toPath, maxBytes, deadlineMs: DOWNLOAD_MS, policy, signal, kind: kind === "audio" ? "audio" : "image" });
      const path = kind === "audio" ? toPath : `${toPath}.fit`;
      if (kind === "cover") await fitCover(toPath, coverLimits, path);
      const fileName = (URL.parse(uri)?.pathname.split("/").at(-1) ?? "").slice(0, 255);
      const taken = await takeUpload(this.#context, waiting.parent, { kind, fileName, stream: createReadStream(path) });
      const asset = await this.#keep(waiting, taken);
      if (asset?.state === "processing") this.#processing.add(asset);
      return null;
    } catch (error) {
      if (this.stopping.signal.aborted) return { problem: "the studio closes", ofOurs: true, forGood: false };
      if (error instanceof Failure)
        return { problem: error.message, ofOurs: error.code === "farm.disk", forGood: failures[error.code].retry === "never" };
      if (error instanceof S3Error) return { problem: `the media store ${error.message}`, ofOurs: true, forGood: false };
      if (error instanceof Refused) return { problem: refusalText(error.text), ofOurs: false, forGood: true };
      if (isDiskError(error)) return { problem: "the studio's disk takes nothing more", ofOurs: true, forGood: false };
      this.#context.log.error("a file could not be imported", { asset: waiting.guid, error: String(error) });
      return { problem: "an error of the studio's own, which its log names", ofOurs: false, forGood: false };
    } finally {
      await rm(toPath, { force: true });
      await rm(`${toPath}.fit`, { force: true });
    }
  }

  /** What came takes the place of the row that waited for it. @returns null when nobody waits any more */
  async #keep({ guid, parent }: Waiting, { path, mime, bytes, state, ...taken }: AssetsTable): Promise<AssetsTable | null> {
    return this.#context.db.transaction().execute(async (trx) => {
      await lockProduction(trx, parent);
      const row = await trx
        .updateTable("assets")
        .set({ path, mime, bytes, state, file_name: taken.file_name, problem: null, created_at: taken.created_at })
        .where("guid", "=", guid)
        .where("state", "=", "waiting")
        .returningAll()
        .executeTakeFirst();
      if (row?.state === "ready") await showNextCover(trx, guid);
      await trx.deleteFrom("assets").where("guid", "=", taken.guid).execute();
      await trx.updateTable("asset_refs").set({ problem: "", not_before: null }).where("asset", "=", guid).execute();
      return row ?? null;
    });
  }
}
