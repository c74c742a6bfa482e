import { rmSync } from "node:fs";
import { styleText } from "node:util";
import type { Config } from "../../kit/config.ts";
import { createLog } from "../../kit/log.ts";
import { requireBrowser } from "../browser.ts";
import { table } from "../table.ts";
import { untilAsked } from "../signals.ts";
import { startFarm, type FarmProcess } from "./farm-process.ts";
import { showChaos, type ChaosNow } from "./show.ts";
import { storm } from "./storm.ts";
import { judge, printVerdicts, type ChaosVerdict } from "./verdict.ts";
import { openWorld, type World } from "./world.ts";

/** The start, the sign-ins and the last settling; a slow machine needs them. */
const BASE_MS = 3 * 60_000;
const KILL_MS = 40_000;
const LOOK_MS = 500;

/**
 * Kills a farm of its own again and again while it posts to a studio of its own, and shows what the site and the manager
 * saw of it. Nothing of the user's is touched.
 * @returns 0 when every episode is on the site exactly once and reported
 */
export async function chaos(config: Config, { kills, json }: { kills: number; json: boolean }): Promise<number> {
  const { executablePath } = await requireBrowser(config);
  const log = createLog({ level: "error", format: config.logFormat });
  const asked = untilAsked(log);
  const now: ChaosNow = { kills: 0, asked: 0, out: 0, farm: "opening a studio and a manager" };
  const show = showChaos(() => now, kills);
  const stop = new AbortController();
  void asked.then(() => stop.abort(new Error("asked to end")));
  const late = setTimeout(() => stop.abort(new Error("too late")), BASE_MS + kills * KILL_MS);
  let farm: FarmProcess | null = null;
  let world: World | null = null;
  // Asked to end at once: nothing is waited for, and nothing may stay.
  const leave = (): void => {
    farm?.signal("SIGKILL");
    if (world) rmSync(world.folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once("exit", leave);
  try {
    show.say(styleText("dim", "A studio, a manager and a farm with a real browser, in a folder of their own."));
    const opened = (world = await openWorld({ log }));
    const watching = watch(opened, () => farm, now);
    try {
      const folder = await opened.farmFolder();
      const evidence = await storm({
        world: opened,
        start: async () =>
          startFarm({
            folder,
            managerUrl: opened.manager.url,
            apiKey: opened.apiKey,
            studioUrls: [opened.studio.url],
            mediaDir: opened.mediaDir,
            env: executablePath ? { PODCREW_BROWSER: executablePath } : {},
          }),
        kills,
        signal: stop.signal,
        onFarm: (started) => (farm = started),
        onKill(kill) {
          now.kills = kill.number;
          show.kill(kill);
        },
        onBack: (kill, ms) => show.back(kill, ms),
      });
      show.stop();
      const verdict = judge(evidence);
      process.stdout.write(json ? `${JSON.stringify(verdict)}\n` : `\n${printout(verdict)}\n\n${sentence(verdict)}\n`);
      return verdict.ok && verdict.inDoubt === 0 ? 0 : 1;
    } finally {
      clearInterval(watching);
    }
  } catch (error) {
    show.stop();
    if (!stop.signal.aborted) throw error;
    process.stderr.write(`Ended before all was over (${(stop.signal.reason as Error).message}): nothing is judged.\n`);
    return Math.max(1, await Promise.race([asked, Promise.resolve(1)]));
  } finally {
    clearTimeout(late);
    show.stop();
    await (farm as FarmProcess | null)?.stop();
    await world?.close();
    process.off("exit", leave);
  }
}

/** Keeps the moving line true. */
function watch(world: World, farm: () => FarmProcess | null, now: ChaosNow): NodeJS.Timeout {
  let looking = false;
  const look = async (): Promise<void> => {
    const history = await world.publishes();
    now.asked = world.asked.length;
    now.out = history.filter(({ made }) => made).length;
    const status = await farm()?.status();
    now.farm = status?.running.map(({ step }) => step).join(", ") || status?.waits[0] || "";
  };
  return setInterval(() => {
    if (looking) return;
    looking = true;
    void look()
      .catch(() => (now.farm = "the farm is down"))
      .finally(() => (looking = false));
  }, LOOK_MS).unref();
}

/** The table; where the terminal is too narrow for it, its columns as lines. */
function printout(verdict: ChaosVerdict): string {
  const text = printVerdicts([verdict]);
  const columns = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
  if (Math.max(...text.split("\n").map((line) => line.length)) <= columns) return text;
  const { faults, episodes, duplicated, lost, limbo, inDoubt, requestsPerEpisode, detectMs, recoverMs } = verdict;
  const seconds = (times: ChaosVerdict["detectMs"]): string =>
    times ? `${(times.median / 1000).toFixed(1)} s, at most ${(times.max / 1000).toFixed(1)} s` : "–";
  return table([
    ["kills", String(faults)],
    ["episodes", String(episodes)],
    ["duplicated", String(duplicated)],
    ["lost", String(lost)],
    ["limbo", String(limbo)],
    ["in doubt", String(inDoubt)],
    ["publish requests an episode", String(requestsPerEpisode.max)],
    ["noticed after", seconds(detectMs)],
    ["what a kill broke is done after", seconds(recoverMs)],
  ]);
}

function sentence(verdict: ChaosVerdict): string {
  if (verdict.ok && verdict.inDoubt === 0)
    return styleText(
      "green",
      `✓ The farm was killed ${verdict.faults} times; all ${verdict.episodes} episodes are on the site exactly once and reported.`,
    );
  const doubts = verdict.inDoubt > 0 ? [`${verdict.inDoubt} episodes wait for a person.`] : [];
  return styleText("red", `✗ ${[...verdict.problems, ...doubts].join("\n  ")}`);
}
