import { Failure } from "../contract/failures.ts";
import type { DriverCard } from "../contract/task.ts";
import type { WorkerEpisode } from "../contract/worker-api.ts";
import type { AudioFacts } from "./audio.ts";
import { cached, hashOf } from "./cache.ts";
import type { Fix } from "./fix.ts";
import { chooseLanguage, guessLanguage } from "./languages.ts";
import type { PrepareOptions } from "./prepare-options.ts";
import { fetchSource, type Source } from "./source.ts";
import { BUILT_IN_VOICE } from "./voice.ts";

export interface EpisodeAudio {
  path: string;
  /** Names the content, for the place of its copy. */
  id: string;
  facts: AudioFacts;
  language: string;
  narrated: boolean;
  fixes: Fix[];
}

/** Everything that changes the sound raises it, so that nothing old is taken from the cache. */
const RECIPE = "audio 1";
const WORDS_PER_MINUTE = 165;
/** Some eight hours of speech; more is a mistake. */
const MAX_SPOKEN_CHARACTERS = 400_000;
const MAX_SOURCE_BYTES = 2_000_000_000;
const FETCHING_SHARE = 0.5;
/** Voices of the built-in engine besides a language's own. */
const builtInVoices = /^(?:f[1-5]|m[1-8]|croak|whisper|whisperf|klatt[2-4]?)?$/;
/** Becomes an argument of a program: nothing that looks like an option. */
const safeVoice = /^(?:[A-Za-z0-9][\w.-]{0,99})?$/;

export interface EpisodeText {
  title: string;
  /** The whole text, however short the site wants its notes. */
  fullText: string;
}

/** The episode's own audio, made fit for the site; without one, its text is read aloud. */
export async function episodeAudio(episode: WorkerEpisode, text: EpisodeText, options: PrepareOptions): Promise<EpisodeAudio> {
  const audio = episode.audio_url
    ? await givenAudio(episode, episode.audio_url, text, options)
    : await narratedAudio(episode, text, options);
  checkSize(audio.facts, options, audio.narrated ? "; shorten the text" : "");
  return audio;
}

/** What can be known of the audio before any is made. @throws Failure content.* */
export async function checkAudio(episode: WorkerEpisode, fullText: string, options: PrepareOptions): Promise<void> {
  if (!episode.audio_url) return checkText(fullText, options);
  const { facts } = await fetchAudio(episode.audio_url, options);
  if (options.limits.audio.formats.includes(facts.format)) checkSize(facts, options);
}

function checkSize({ bytes }: AudioFacts, { limits }: PrepareOptions, advice = ""): void {
  const { maxBytes } = limits.audio;
  if (bytes > maxBytes)
    throw new Failure("content.audio", `the audio has ${megabytes(bytes)}, the site takes ${megabytes(maxBytes)}${advice}`);
}

async function givenAudio(episode: WorkerEpisode, address: string, text: EpisodeText, options: PrepareOptions): Promise<EpisodeAudio> {
  const { source, facts } = await fetchAudio(address, options);
  const language = wantedLanguage(episode, options) || guessLanguage(`${text.title} ${text.fullText}`);
  if (options.limits.audio.formats.includes(facts.format))
    return { path: source.path, id: source.hash, facts, language, narrated: false, fixes: [] };
  return { ...(await converted(source, facts, text, options)), language, narrated: false };
}

/** Fetched, and of a kind that the site takes or that becomes one. @throws Failure content.* */
async function fetchAudio(address: string, options: PrepareOptions): Promise<{ source: Source; facts: AudioFacts }> {
  const { cacheDir, policy, pool, signal, mediaDirs = [], deadlines } = options;
  const source = await fetchSource(address, {
    kind: "audio",
    cacheDir,
    policy,
    mediaDirs,
    deadlineMs: deadlines?.audioMs ?? 15 * 60_000,
    maxBytes: MAX_SOURCE_BYTES,
    signal,
    onProgress: () => undefined,
  });
  options.onProgress(FETCHING_SHARE, "checking audio");
  try {
    const facts = await pool.probe(source.path, { signal });
    const { formats } = options.limits.audio;
    if (formats.includes(facts.format) || (facts.format === "wav" && formats.includes("mp3"))) return { source, facts };
    throw new Failure("content.audio", `the audio is ${facts.format.toUpperCase()} (${facts.codec}), the site takes ${list(formats)}`);
  } catch (error) {
    if (error instanceof Failure && error.code === "content.audio") await source.discard();
    throw error;
  }
}

async function converted(
  source: { path: string; hash: string },
  from: AudioFacts,
  { title }: EpisodeText,
  options: PrepareOptions,
): Promise<Pick<EpisodeAudio, "path" | "id" | "facts" | "fixes">> {
  const { cacheDir, pool, signal } = options;
  const key = [RECIPE, "convert", source.hash, title];
  const { path, facts } = await cached(
    { cacheDir, kind: "converted", key, ending: ".mp3" },
    async (outPath, onProgress, both) => {
      await pool.convert({ inputPath: source.path, outPath, title, seconds: from.seconds }, { signal: both, onProgress });
      return pool.probe(outPath, { signal: both });
    },
    { signal, onProgress: (share) => options.onProgress(FETCHING_SHARE + share * (1 - FETCHING_SHARE), "converting audio") },
  );
  return { path, id: hashOf(key), facts, fixes: [{ field: "audio", say: "audio WAV -> MP3" }] };
}

/** Of a text that is to be narrated. */
function checkText(fullText: string, { limits }: PrepareOptions): void {
  if (!/[\p{L}\p{N}]/u.test(fullText)) throw new Failure("content.empty");
  if (!limits.audio.formats.includes("mp3"))
    throw new Failure(
      "content.audio",
      `a text is narrated as MP3, the site takes ${list(limits.audio.formats)}; give the episode an audio_url`,
    );
  if (fullText.length > MAX_SPOKEN_CHARACTERS)
    throw new Failure(
      "content.audio",
      `the text has ${fullText.length} characters, at most ${MAX_SPOKEN_CHARACTERS} are narrated; shorten it or give the episode an audio_url`,
    );
}

async function narratedAudio(episode: WorkerEpisode, { title, fullText }: EpisodeText, options: PrepareOptions): Promise<EpisodeAudio> {
  const { cacheDir, pool, signal } = options;
  checkText(fullText, options);
  const { language, guessedFor } = chooseLanguage(wantedLanguage(episode, options), fullText);
  const { voice, fixes } = chooseVoice(episode.voice ?? "", pool.voiceName);
  if (guessedFor) fixes.unshift({ field: "audio", say: `language "${guessedFor.slice(0, 40)}" is not known -> read as ${language}` });
  const key = [RECIPE, "narrate", pool.voiceName, language, voice, WORDS_PER_MINUTE, title, fullText];
  const { path, facts } = await cached(
    { cacheDir, kind: "narrated", key, ending: ".mp3" },
    async (outPath, onProgress, both) => {
      await pool.narrate(
        { text: fullText, title, language, voice, wordsPerMinute: WORDS_PER_MINUTE, outPath },
        { signal: both, onProgress },
      );
      return pool.probe(outPath, { signal: both });
    },
    { signal, onProgress: (share) => options.onProgress(share, "narrating") },
  );
  return { path, id: hashOf(key), facts, language, narrated: true, fixes };
}

function wantedLanguage(episode: WorkerEpisode, { language = "" }: PrepareOptions): string {
  return episode.language || language;
}

function chooseVoice(wanted: string, voiceName: string): { voice: string; fixes: Fix[] } {
  const voice = wanted.trim();
  if ((voiceName === BUILT_IN_VOICE ? builtInVoices : safeVoice).test(voice)) return { voice, fixes: [] };
  return { voice: "", fixes: [{ field: "audio", say: `voice "${voice.slice(0, 40)}" is not known -> the usual one` }] };
}

function list(formats: DriverCard["limits"]["audio"]["formats"]): string {
  return formats.map((format) => format.toUpperCase()).join(", ");
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
