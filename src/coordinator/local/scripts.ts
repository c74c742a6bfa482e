import type { DriverCard } from "../../contract/task.ts";
import type { ScriptAnswer, ScriptedEpisode } from "../../contract/task-api.ts";
import type { Random } from "../ports.ts";
import { TaskApiError } from "./errors.ts";
import { postEpisodes } from "./post-script.ts";

export interface ScriptsOptions {
  /** Of the drivers that there are now. */
  cards(): readonly DriverCard[];
  mediaDirs: readonly string[];
  random: Random;
  /** Runs a script of a driver, in a worker thread. @returns one list an account, or what is wrong with the configuration, or with the script */
  runScript?(card: DriverCard, script: string, config: unknown, count: number): Promise<ScriptAnswer>;
}

/** What makes episodes of a configuration: `post`, which every driver has, and what users' drivers export. */
export class Scripts {
  readonly #o: ScriptsOptions;

  constructor(options: ScriptsOptions) {
    this.#o = options;
  }

  /** Before it is known for whom. @throws TaskApiError 40003 unless some driver has it */
  requireAnywhere(script: string): void {
    const known = new Set(["post", ...this.#o.cards().flatMap(({ scripts = [] }) => scripts)]);
    if (!known.has(script)) throw new TaskApiError(40003, `${script} is none of ${[...known].join(", ")}`);
  }

  /** @throws TaskApiError 40003 */
  require(card: DriverCard, script: string): void {
    if (script === "post" || card.scripts?.includes(script)) return;
    const known = ["post", ...(card.scripts ?? [])].join(", ");
    throw new TaskApiError(40003, `${script} is none of the site ${card.site}, which has ${known}`);
  }

  /** @returns one list of episodes for each of `count` accounts of the site  @throws TaskApiError 40001, 40003; Error where the script is broken */
  async run(card: DriverCard, script: string, config: unknown, count: number): Promise<ScriptedEpisode[][]> {
    this.require(card, script);
    if (script === "post") return postEpisodes(config, { count, ...this.#o });
    const made = await this.#o.runScript?.(card, script, config, count);
    if (!made) throw new TaskApiError(40003, `${script} can't be run here`);
    if ("broken" in made) throw new Error(`${script} of ${card.site}: ${made.broken}`);
    if ("problem" in made) throw new TaskApiError(40001, `script_config: ${made.problem}`);
    return made.lists;
  }
}
