import { z } from "zod";
import { UsageError } from "../kit/config.ts";

/** An episode as a script orders it: the farm makes its files, and posts it once. */
export interface OrderedEpisode {
  title: string;
  /** HTML; read aloud where there is no recording. */
  about?: string;
  /** An http(s) address, or a file below MEDIA_DIRS. */
  image_url?: string;
  audio_url?: string;
  language?: string;
  voice?: string;
}

export interface ScriptTools {
  /** Text with choices, "{Good|Fine} morning", as one of what it can say. */
  spin(text: string): string;
}

/** Makes episodes of what a caller of the Task API sends as `script_config`. It posts nothing itself, so that nothing can be posted twice by it. */
export interface Script<Schema extends z.ZodType = z.ZodType> {
  config: Schema;
  /** Called once for each account. */
  episodes(config: z.output<Schema>, tools: ScriptTools): readonly OrderedEpisode[] | Promise<readonly OrderedEpisode[]>;
}

/** Marks what `defineScript` made, also across two copies of this module. */
const made = Symbol.for("podcrew.script");

const declaration = z.strictObject({
  config: z.custom((value) => value instanceof z.ZodType, "must be a zod schema such as z.object({ topic: z.string() })"),
  episodes: z.custom((value) => typeof value === "function", "must be a function"),
});

/**
 * A script of a driver file, which exports it beside its driver: its name is what the Task API takes for `script_name`.
 *
 * @example
 * export const scripts = {
 *   greeting: defineScript({
 *     config: z.object({ city: z.string() }),
 *     episodes: ({ city }, { spin }) => [{ title: `Good morning, ${city}`, about: spin("<p>{Sun|Rain} today.</p>") }],
 *   }),
 * };
 *
 * @throws UsageError naming every problem at once
 */
export function defineScript<Schema extends z.ZodType>(given: Script<Schema>): Script<Schema> {
  const parsed = declaration.safeParse(given);
  if (!parsed.success)
    throw new UsageError(
      `A script has a problem: ${parsed.error.issues.map(({ path, message }) => `${path.join(".") || "it"} ${message}`).join("; ")}`,
    );
  return { ...given, [made]: true } as Script<Schema>;
}

/** What a driver file exports as `scripts`. @throws UsageError when that holds anything else */
export function scriptsOf(exported: unknown): Readonly<Record<string, Script>> {
  if (exported === undefined) return {};
  const all = typeof exported === "object" && exported !== null ? Object.entries(exported) : [["scripts", null]];
  for (const [name, script] of all as [string, unknown][]) {
    if (typeof script !== "object" || script === null || !(made in script))
      throw new UsageError(`what it exports as scripts has "${name}", which was not made by defineScript()`);
    if (!/^[a-z0-9]+([-_][a-z0-9]+)*$/.test(name) || name === "post")
      throw new UsageError(`a script can't be called "${name}": lower case, digits, dashes, and not "post"`);
  }
  return exported as Readonly<Record<string, Script>>;
}
