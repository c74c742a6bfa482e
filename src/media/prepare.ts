import { copyFile, link, mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../contract/failures.ts";
import type { PreparedEpisode } from "../contract/task.ts";
import type { WorkerEpisode } from "../contract/worker-api.ts";
import { cached, temporaryPath } from "./cache.ts";
import { diskFailure } from "./disk.ts";
import { checkAudio, episodeAudio, type EpisodeAudio } from "./episode-audio.ts";
import type { Fix } from "./fix.ts";
import { fitHtml } from "./html.ts";
import { encode } from "./html-tree.ts";
import type { PrepareOptions } from "./prepare-options.ts";
import { fetchSource } from "./source.ts";
import { fitTitle } from "./title.ts";

const IMAGE_DEADLINE_MS = 60_000;
const MAX_IMAGE_BYTES = 50_000_000;
const COVER_RECIPE = "cover 1";
/** Of the whole work; the cover and the audio are made at the same time. */
const COVER_SHARE = 0.1;
/** Of the content's hash, in the file's name. */
const CONTENT_CHARACTERS = 8;

/**
 * An episode as its site takes it: title, notes, cover and audio within the limits, files in place. What had to be
 * changed is listed, in the same words on every run. All is kept by content, so a second run costs nothing.
 * @returns coverPath null when the episode has no image: the site then shows the show's cover
 * @throws Failure content.*, farm.narration, farm.disk; what the signal was aborted with
 */
export async function prepareEpisode(
  episode: WorkerEpisode,
  options: PrepareOptions,
): Promise<{ prepared: PreparedEpisode; fixes: Fix[] }> {
  const { limits, marker } = options;
  const title = fitTitle(episode.title, limits.title.maxCharacters, limits.title.tooLong);
  const about = fitHtml(episode.about, limits.about);
  const notes = about.html === "" ? { html: `<p>${encode(title.title)}</p>`, text: title.title, fixes: [...about.fixes, noNotes] } : about;
  const progress = { cover: 0, audio: 0 };
  const report = (part: "cover" | "audio", share: number, what: string): void => {
    progress[part] = share;
    options.onProgress(progress.cover * COVER_SHARE + progress.audio * (1 - COVER_SHARE), what);
  };
  const [cover, audio] = await together(options.signal, [
    async (signal) => episodeCover(episode.image_url, { ...options, signal, onProgress: (share, what) => report("cover", share, what) }),
    async (signal) =>
      episodeAudio(
        episode,
        { title: title.title, fullText: about.fullText },
        { ...options, signal, onProgress: (share, what) => report("audio", share, what) },
      ),
  ]);
  const audioPath = await place(audio, options);
  options.onProgress(1, "ready");
  const { language, narrated, facts } = audio;
  return {
    prepared: {
      id: episode.id,
      title: title.title,
      aboutHtml: notes.html,
      aboutText: notes.text,
      coverPath: cover.path,
      audioPath,
      audioSeconds: facts.seconds,
      language,
      narrated,
      marker,
    },
    fixes: [...title.fixes, ...notes.fixes, ...cover.fixes, ...audio.fixes],
  };
}

/**
 * Whether an episode can be made fit for its site, without narrating or converting anything: what is fetched for it is kept for later.
 * @throws Failure content.* with the site's limit and what the episode has
 */
export async function preflightEpisode(episode: WorkerEpisode, options: PrepareOptions): Promise<void> {
  const { limits } = options;
  fitTitle(episode.title, limits.title.maxCharacters, limits.title.tooLong);
  const { fullText } = fitHtml(episode.about, limits.about);
  await together(options.signal, [
    async (signal) => episodeCover(episode.image_url, { ...options, signal }),
    async (signal) => checkAudio(episode, fullText, { ...options, signal }),
  ]);
}

const noNotes: Fix = { field: "about", say: "about is empty -> the title stands in" };

async function episodeCover(address: string, options: PrepareOptions): Promise<{ path: string | null; fixes: Fix[] }> {
  if (address.trim() === "") return { path: null, fixes: [] };
  const { cacheDir, policy, pool, signal, mediaDirs = [], deadlines } = options;
  const limits = options.limits.cover;
  options.onProgress(0, "fetching cover");
  const source = await fetchSource(address.trim(), {
    kind: "image",
    cacheDir,
    policy,
    mediaDirs,
    deadlineMs: deadlines?.imageMs ?? IMAGE_DEADLINE_MS,
    maxBytes: MAX_IMAGE_BYTES,
    signal,
    onProgress: () => undefined,
  });
  try {
    const { path, facts } = await cached(
      { cacheDir, kind: "covers", key: [COVER_RECIPE, source.hash, limits.minPixels, limits.maxPixels, limits.maxBytes], ending: ".jpg" },
      async (outPath, _onProgress, both) => pool.fitCover({ inputPath: source.path, limits, outPath }, { signal: both }),
      { signal },
    );
    options.onProgress(1, "cover ready");
    return { path, fixes: facts.fixes };
  } catch (error) {
    if (error instanceof Failure && error.code === "content.image") await source.discard();
    throw error;
  }
}

/**
 * The audio under the name that the site will keep: a second name of the kept file, or a copy where that can't be. It begins with
 * the marker, and another recording of the same episode has another name.
 */
async function place(audio: EpisodeAudio, { cacheDir, marker }: PrepareOptions): Promise<string> {
  const folder = join(cacheDir, "ready", audio.id);
  const path = join(folder, `${marker}-${audio.id.slice(0, CONTENT_CHARACTERS)}.${audio.facts.format}`);
  try {
    if ((await stat(path).catch(() => null))?.size === audio.facts.bytes) return path;
    const temporary = await temporaryPath(cacheDir);
    try {
      await link(audio.path, temporary).catch(async () => copyFile(audio.path, temporary));
      await mkdir(folder, { recursive: true });
      await rename(temporary, path);
      return path;
    } finally {
      await rm(temporary, { force: true });
    }
  } catch (error) {
    throw diskFailure(error);
  }
}

/** Both at the same time; the first failure stops the other, and is thrown once both have ended. */
async function together<A, B>(
  signal: AbortSignal,
  [first, second]: [(signal: AbortSignal) => Promise<A>, (signal: AbortSignal) => Promise<B>],
): Promise<[A, B]> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const guard = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await work(both);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  };
  const [a, b] = await Promise.allSettled([guard(first), guard(second)]);
  signal.throwIfAborted();
  if (a.status === "fulfilled" && b.status === "fulfilled") return [a.value, b.value];
  throw failed.signal.reason;
}
