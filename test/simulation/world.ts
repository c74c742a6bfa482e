import type { DriverCard } from "../../src/contract/task.ts";
import type { Rules } from "../../src/coordinator/rules.ts";
import type { Checker } from "./checker.ts";
import type { Database } from "./database.ts";
import type { Durability } from "./farm-store.ts";
import type { SimulatedManager } from "./manager.ts";
import type { Mischief } from "./mischief.ts";
import type { Dice } from "./random.ts";
import type { Scenario } from "./scenario.ts";
import type { SimulatedSite } from "./site.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

/** All that the farms of one seed share. */
export interface World {
  scenario: Scenario;
  rules: Partial<Rules>;
  card: DriverCard;
  timeline: Timeline;
  dice: Dice;
  database: Database;
  durability: Durability;
  mischief: Mischief;
  site: SimulatedSite;
  manager: SimulatedManager;
  checker: Checker;
  trace: Trace;
  /** Until then the manager does not answer; epoch ms. */
  outageUntil: number;
  /** Until then the site refuses connections; epoch ms. */
  siteDownUntil: number;
}
