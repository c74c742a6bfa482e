import { realpath, stat } from "node:fs/promises";
import { extname, isAbsolute, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { MOST_MADE_CHARACTERS, postConfig, scriptedEpisode, type PostConfig, type ScriptedEpisode } from "../../contract/task-api.ts";
import { spin } from "../../kit/spintax.ts";
import type { Random } from "../ports.ts";
import { sayIssues, TaskApiError } from "./errors.ts";

const endings = {
  picture: [".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".tif", ".tiff", ".heic"],
  recording: [".mp3", ".m4a", ".m4b", ".wav", ".ogg", ".oga", ".opus", ".flac", ".aac", ".mp4", ".mov", ".webm"],
} as const;

/**
 * The script `post`: one episode of the captions, the first picture and the first recording. Choices are made anew for each account.
 * @returns one list of episodes an account  @throws TaskApiError 40001 with all that is wrong
 */
export async function postEpisodes(
  given: unknown,
  { count, mediaDirs, random }: { count: number; mediaDirs: readonly string[]; random: Random },
): Promise<ScriptedEpisode[][]> {
  const parsed = postConfig.safeParse(given);
  if (!parsed.success) throw new TaskApiError(40001, sayIssues(parsed.error, "script_config"));
  const config = parsed.data;
  const problems = await Promise.all(config.material_list.map(async (one, index) => whyNot(one, `material_list.${index}`, mediaDirs)));
  if (config.title.trim() === "" && config.captions.trim() === "") problems.unshift("captions or title is needed");
  const said = problems.filter((problem) => problem !== null);
  if (said.length > 0) throw new TaskApiError(40001, said.map((problem) => `script_config.${problem}`).join("; "));
  const made: ScriptedEpisode[][] = [];
  for (let nth = 0, characters = 0; nth < count; nth += 1) {
    const checked = scriptedEpisode.safeParse(episodeOf(config, random));
    // Else each retry would keep what can't be posted.
    if (!checked.success) throw new TaskApiError(40001, sayIssues(checked.error, "script_config, by its choices"));
    const episode = checked.data;
    characters += episode.title.length + (episode.about?.length ?? 0);
    if (characters > MOST_MADE_CHARACTERS)
      throw new TaskApiError(40001, "script_config: too much text for so many tasks; make fewer at once");
    made.push([episode]);
  }
  return made;
}

function episodeOf({ title, captions, material_list: material, language, voice }: PostConfig, random: Random): ScriptedEpisode {
  const said = spin(captions, random).trim();
  const audio = material.find((one) => kindOf(one) === "recording");
  return {
    title: spin(title, random).trim() || (said.split(/\r?\n/, 1)[0] ?? "").trim(),
    about: htmlOf(said),
    image_url: material.find((one) => kindOf(one) === "picture") ?? "",
    ...(audio && { audio_url: audio }),
    ...(language && { language }),
    ...(voice && { voice }),
  };
}

/** Plain text as paragraphs and lines. */
function htmlOf(said: string): string {
  const escaped = said.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const paragraphs = escaped.split(/(?:\r?\n){2,}/).filter(Boolean);
  return paragraphs.map((one) => `<p>${one.replaceAll(/\r?\n/g, "<br>")}</p>`).join("");
}

const isWeb = (address: string): boolean => /^https?:\/\//i.test(address);

function kindOf(address: string): keyof typeof endings | null {
  const url = URL.canParse(address) && isWeb(address) ? new URL(address) : null;
  const ending = extname(url?.pathname ?? address).toLowerCase();
  const kinds = Object.keys(endings) as (keyof typeof endings)[];
  return kinds.find((kind) => (endings[kind] as readonly string[]).includes(ending)) ?? null;
}

/** Of private addresses nothing is said here: they are looked up when the file is fetched. */
async function whyNot(address: string, at: string, mediaDirs: readonly string[]): Promise<string | null> {
  if (kindOf(address) === null) return `${at}: neither a picture nor a recording by its name`;
  if (isWeb(address)) return URL.canParse(address) ? null : `${at}: not an address`;
  // The same word for a file that is not there: a stranger learns nothing about this machine.
  return (await isBelow(address, mediaDirs)) ? null : `${at}: not a file below MEDIA_DIRS, nor an http(s) address`;
}

async function isBelow(address: string, mediaDirs: readonly string[]): Promise<boolean> {
  try {
    const path = await realpath(/^file:/i.test(address) ? fileURLToPath(address) : address);
    if (!isAbsolute(address) && !/^file:/i.test(address)) return false;
    if (!(await stat(path)).isFile()) return false;
    const folders = await Promise.all(mediaDirs.map(async (folder) => realpath(folder).catch(() => null)));
    return folders.some((folder) => folder !== null && path.startsWith(folder.endsWith(sep) ? folder : folder + sep));
  } catch {
    return false;
  }
}
