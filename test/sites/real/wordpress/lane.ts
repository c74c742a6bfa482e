import { startFarm, type FarmProcess } from "../../../../src/cli/chaos/farm-process.ts";
import type { SitePublish } from "../../../../src/cli/chaos/verdict.ts";
import type { Asked, World } from "../../../../src/cli/chaos/world.ts";
import type { CrashPoint } from "../../../../src/kit/crashpoint.ts";
import { settled } from "../../../chaos/browser/given-world.ts";
import type { RunningWordPress } from "./site.ts";

const DIES_WITHIN_MS = 150_000;
const SETTLED_WITHIN_MS = 240_000;
/** An editor that loads on a busy machine takes its seconds; the look comes after the longest life of a request. */
const waits = { STEP_SECONDS: "20", SETTLE_SECONDS: "22.5" } as const;

export interface LaneOptions {
  world: World;
  wordpress: RunningWordPress;
  /** The driver, by its name. */
  driver: string;
  /** Its data folder and its name. */
  name: string;
  points: readonly CrashPoint[];
  signal: AbortSignal;
  onFarm(farm: FarmProcess): void;
  say(text: string): void;
}

export interface LaneEnd {
  asked: Asked[];
  /** Epoch ms of each kill. */
  faults: number[];
  /** A sentence for each point at which no farm died. */
  missed: string[];
  /** Tasks that a person is asked about. */
  persons: Set<string>;
  /** What WordPress itself wrote down. */
  publishes: SitePublish[];
  /** Of its database: how often each title is public, revisions and all. */
  rows: string[];
  /** Drafts that are left. */
  drafts: string[];
}

/**
 * One farm after another on one data folder and one WordPress: each dies at its point of the publish, the next one takes up
 * what it left, the last one lives and brings all to its end.
 */
export async function runLane({ world, wordpress, driver, name, points, signal, onFarm, say }: LaneOptions): Promise<LaneEnd> {
  const folder = await world.farmFolder(name);
  const { host } = new URL(wordpress.origin);
  const start = async (more: Record<string, string> = {}): Promise<FarmProcess> => {
    const farm = await startFarm({
      folder,
      managerUrl: world.manager.url,
      apiKey: world.apiKey,
      studioUrls: [],
      mediaDir: world.mediaDir,
      env: { ...waits, WORKER_ID: name, CONCURRENCY: "1", SITES: `${host}=${driver}@${wordpress.origin}`, ...more },
    });
    onFarm(farm);
    return farm;
  };
  const member = { email: wordpress.account.email, password: wordpress.account.password, twofa: "" };
  const asked: Asked[] = [];
  const faults: number[] = [];
  const missed: string[] = [];
  for (const point of points) {
    signal.throwIfAborted();
    asked.push(await world.ask(member, { by: wordpress.origin }));
    const farm = await start({ PODCREW_CRASHPOINT: point });
    const end = await farm.ended(DIES_WITHIN_MS).catch(async (error: Error) => {
      await farm.kill();
      return error.message;
    });
    faults.push(Date.now());
    if (end !== "SIGKILL") missed.push(`The farm did not die at ${point}: ${end}`);
    say(`${name}: ${point}: ${end === "SIGKILL" ? "killed there" : "NOT REACHED"}`);
  }
  const farm = await start();
  const persons = await settled(world, farm, asked, SETTLED_WITHIN_MS, signal);
  await farm.stop();
  return {
    asked,
    faults,
    missed,
    persons,
    publishes: (await wordpress.history()).map(({ title, what, at }) => ({ episode: title, made: what === "publish", at })),
    rows: await wordpress.sql(
      "SELECT post_title, COUNT(*) FROM wp.wp_posts WHERE post_type = 'post' AND post_status = 'publish' AND post_name LIKE 'ep-%' GROUP BY post_title ORDER BY post_title",
    ),
    drafts: await wordpress.sql("SELECT post_title FROM wp.wp_posts WHERE post_type = 'post' AND post_status IN ('draft', 'pending')"),
  };
}
