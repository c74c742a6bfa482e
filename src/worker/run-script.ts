import type { z } from "zod";
import { MOST_MADE_CHARACTERS, scriptedList, type ScriptAnswer, type ScriptedEpisode } from "../contract/task-api.ts";
import { spin } from "../kit/spintax.ts";
import { scriptsOf } from "../driver/define-script.ts";

export interface ScriptOrder {
  /** The driver file's address. */
  module: string;
  script: string;
  config: unknown;
  /** Of accounts: it is run once for each. */
  count: number;
}

/** What the script's own schema has against the configuration is a problem; all else that goes wrong is the script's. Never throws. */
export async function runScript({ module, script: name, config, count }: ScriptOrder): Promise<ScriptAnswer> {
  try {
    const script = scriptsOf(((await import(module)) as { scripts?: unknown }).scripts)[name];
    if (!script) return { broken: `the driver has no script ${name} any more` };
    const parsed = script.config.safeParse(config);
    if (!parsed.success) return { problem: say(parsed.error) };
    const lists: ScriptedEpisode[][] = [];
    for (let nth = 0, characters = 0; nth < count; nth += 1) {
      const made = scriptedList.safeParse(await script.episodes(parsed.data, { spin: (text) => spin(text, Math.random) }));
      if (!made.success) return { broken: `the script ${name} makes no episodes of it: ${say(made.error)}` };
      characters += made.data.reduce((sum, episode) => sum + Object.values(episode).join("").length, 0);
      if (characters > MOST_MADE_CHARACTERS) return { problem: "too much text for so many tasks; make fewer at once" };
      lists.push(made.data);
    }
    return { lists };
  } catch (error) {
    return { broken: `the script ${name} broke: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function say(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join(".") || "itself"}: ${message}`).join("; ");
}
