import { styleText } from "node:util";
import type { FarmStatus } from "../coordinator/status.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { urlHere } from "../kit/url-here.ts";
import { askFarm } from "./farm-client.ts";
import { renderLine } from "./progress.ts";

const WIDE = 200;

export async function status(config: Config, json: boolean): Promise<number> {
  const answer = await askFarm(config, "/api/v1/farm/status");
  if (answer.status !== 200)
    throw new UsageError(`The farm at ${urlHere(config.host, config.taskPort)} answers ${answer.status}: ${answer.message}`);
  process.stdout.write(json ? `${JSON.stringify(answer.data)}\n` : `${describe(answer.data as FarmStatus, Date.now())}\n`);
  return 0;
}

/** The farm's own words, for a person. */
export function describe(farm: FarmStatus, now: number): string {
  const counts = Object.entries(farm.tasks).map(([state, count]) => `${count} ${state.replace("_", " ")}`);
  const { pending, refused, oldest } = farm.outbox;
  const lines = [
    `${styleText("bold", farm.instance)}  ${farm.sources.join(", ") || "pulls nothing"}${farm.draining ? styleText("yellow", "  draining") : ""}`,
    `tasks   ${counts.join(", ") || "none yet"}`,
    ...(farm.checks.running + farm.checks.waiting > 0 ? [`checks  ${farm.checks.running} running, ${farm.checks.waiting} waiting`] : []),
    `reports ${pending === 0 ? "all delivered" : `${pending} to deliver, the oldest of ${oldest}`}${refused > 0 ? styleText("yellow", `, ${refused} refused by the manager`) : ""}`,
    ...farm.waits.map((why) => `waits   ${why}`),
  ];
  if (farm.running.length > 0)
    lines.push(
      "",
      ...farm.running.map((task) => renderLine({ ...task, step: task.detail ? `${task.step}: ${task.detail}` : task.step }, now, WIDE)),
    );
  if (farm.needsPerson.length > 0) {
    lines.push("", styleText("yellow", "A person is needed:"), ...farm.needsPerson.flatMap(describePerson));
  }
  return lines.join("\n");
}

/** Who, what, why; where the evidence lies; what to say when it is settled. */
function describePerson({ taskId, episodeId, account, site, title, why, evidence, handOver }: FarmStatus["needsPerson"][number]): string[] {
  const command = episodeId
    ? `podcrew resolve ${taskId} ${episodeId} --posted URL | --absent`
    : handOver
      ? `podcrew hand-over ${taskId}`
      : `podcrew resolve ${taskId}`;
  return [
    `  ${styleText("bold", `${account} at ${site}`)}${title ? `  ${title}` : ""}`,
    `    ${why}`,
    ...evidence.map((path) => styleText("dim", `    ${path}`)),
    `    ${styleText("cyan", command)}`,
  ];
}

/** A person's word: on an episode in doubt, or that the account of a task works again. */
export async function resolve(
  config: Config,
  task: string,
  episode: string | undefined,
  { posted, absent }: { posted: string | undefined; absent: boolean },
): Promise<number> {
  if (episode !== undefined && (posted !== undefined) === absent)
    throw new UsageError("Say what you saw: --posted URL when the episode is on the site, or --absent when it is not.");
  if (episode === undefined && (posted !== undefined || absent))
    throw new UsageError("Say of which episode: podcrew resolve TASK EPISODE --posted URL | --absent. `podcrew status` lists them.");
  const word = episode === undefined ? {} : { episode, ...(posted !== undefined ? { posted } : { absent: true }) };
  const answer = await askFarm(config, "/api/v1/farm/resolve", { task, ...word }, { secret: true });
  if (answer.status !== 200) throw new UsageError(`The farm does not take that: ${answer.message}`);
  if (episode === undefined) process.stdout.write("The task goes on.\n");
  else process.stdout.write(posted ? `Recorded as posted: ${posted}\n` : "Recorded as absent; it is posted again.\n");
  return 0;
}
