import type { Config } from "../kit/config.ts";
import { createLog } from "../kit/log.ts";
import { farmStage, managerStage, storeStage, studioStage, type Parts } from "./parts.ts";
import { showFarm } from "./farm-view.ts";
import { untilAsked } from "./signals.ts";
import { startStages, type Stage } from "./stages.ts";

type PartName = "manager" | "studio" | "farm";

export interface ServeOptions {
  /** The farm has no manager: it does what it is told by the Task API. */
  alone?: boolean;
}

/** Runs parts until somebody asks them to end. @returns the exit code */
export async function serve(config: Config, names: readonly PartName[], { alone = false }: ServeOptions = {}): Promise<number> {
  const parts: Parts = {};
  const view = showFarm(() => parts.farm);
  const log = createLog({ level: config.logLevel, format: config.logFormat, stream: view.stream });
  const stages: Record<PartName, Stage> = {
    manager: managerStage(config, log, parts),
    studio: studioStage(config, log, parts),
    farm: farmStage(config, log, parts, { alone }),
  };
  const asked = untilAsked(log);
  const stop = await startStages([storeStage(config, log, parts), ...names.map((name) => stages[name])], log);
  await parts.farm?.start();
  log.info(
    `${names.join(", ")} ${names.length === 1 ? "is" : "are"} up: ${[parts.manager?.url, parts.studio?.url, parts.farm?.url].filter(Boolean).join(", ")} (Ctrl+C ends)`,
  );
  const code = await asked;
  await stop();
  view.stop();
  return code;
}
