import { join } from "node:path";
import { styleText } from "node:util";
import type { Config } from "../kit/config.ts";
import type { WorkerEpisode } from "../contract/worker-api.ts";
import { ApiRefusal, createClient, type ApiClient } from "../kit/api-client.ts";
import { createLog, type Log } from "../kit/log.ts";
import type { Manager } from "../manager/manager.ts";
import type { TaskView } from "../manager/task-list.ts";
import type { Studio } from "../studio/studio.ts";
import { demoEpisodes, demoShow } from "./demo-content.ts";
import { keepDemoFile } from "./demo-file.ts";
import { showFarm } from "./farm-view.ts";
import { farmStage, managerStage, storeStage, studioStage, type Parts } from "./parts.ts";
import { styled, table } from "./table.ts";
import { untilAsked } from "./signals.ts";
import { startStages } from "./stages.ts";

/** What `--json` prints, on one line. */
export interface DemoResult {
  ok: boolean;
  status: string;
  episodes: { id: string; title: string; link: string }[];
  link_rss: string;
  error: string;
  /** From the start of this process to the last report, s. */
  seconds: number;
  studio: string;
  manager: string;
}

const EMAIL = "demo@podcrew.example";
const NAME = "Demo";
const DEMO_CREDITS = 1_000_000;
/** Credits an episode. */
const DEMO_PRICE = 50;
const POLL_MS = 200;
/** Three narrated episodes take well under a minute; a slow machine gets ten. */
const DEADLINE_MS = 10 * 60_000;

export async function demo(config: Config, { once, json }: { once: boolean; json: boolean }): Promise<number> {
  const parts: Parts = {};
  const view = showFarm(() => parts.farm);
  const log = createLog({ level: config.logLevel, format: config.logFormat, stream: view.stream });
  const asked = untilAsked(log);
  const stop = await startStages(
    [
      storeStage(config, log, parts),
      managerStage(config, log, parts),
      studioStage(config, log, parts),
      farmStage(config, log, parts, { allowPrivate: () => [new URL(parts.studio?.url ?? "").host] }),
    ],
    log,
  );
  const { manager, studio, farm } = parts;
  if (!manager || !studio || !farm) throw new Error("a part did not come up");
  try {
    const taskId = await makeDemo(config, { manager, studio, taskApiUrl: farm.url }, log);
    await farm.start();
    const result = await Promise.race([settled(manager, taskId, studio.url), asked.then(() => null)]);
    // Asked to end before all was posted: the next start goes on, but this one did not do it.
    if (result === null) return once ? Math.max(1, await asked) : await asked;
    view.stop();
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else process.stdout.write(`${printout(result, config)}\n`);
    if (once) return result.ok ? 0 : 1;
    if (!json) log.info("Everything stays up until Ctrl+C.");
    return await asked;
  } finally {
    view.stop();
    await stop();
  }
}

/** The demo's, before requests had owners. */
const FORMER_REQUEST = "0d3a0000-0000-4000-8000-000000000001";

/** Makes what is missing; a second start, also after a crash in the middle, finds what is there. @returns the task's id */
async function makeDemo(
  config: Config,
  { manager, studio, taskApiUrl }: { manager: Manager; studio: Studio; taskApiUrl: string },
  log: Log,
): Promise<string> {
  const demo = await keepDemoFile(config, { email: EMAIL, managerUrl: manager.url, studioUrl: studio.url, taskApiUrl });
  const { password, totpSecret } = demo.studio;
  // What the file says signs in: also where it was lost and is another one now, or where somebody has changed a password since.
  if (!(await studio.accounts.setSignIn({ email: EMAIL, password, totpSecret })))
    await studio.accounts.create({ email: EMAIL, password, secondFactor: "totp", totpSecret, name: "Demo" });
  const owner = await studio.accounts.find(EMAIL);
  if (!owner) throw new Error("the demo's account at the studio is gone");
  if (!(await studio.shows.find(demoShow.name)))
    await studio.shows.create({ ...demoShow, ownerId: owner.id, author: "Podcrew", ownerEmail: EMAIL, category: "Technology" });
  if (!(await manager.users.find(EMAIL))) await manager.users.create({ email: EMAIL, password: demo.manager.password, role: "owner" });
  const client = createClient({ url: manager.url, email: EMAIL, password: demo.manager.password });
  const { credits } = await client.auth.me().catch(async (error: unknown) => {
    if (!(error instanceof ApiRefusal) || error.code !== "wrong_login") throw error;
    await manager.users.setPassword(EMAIL, demo.manager.password);
    return client.auth.me();
  });
  // Ordered before there were owners: its episodes are on the site.
  const former = (await manager.tasks()).find(({ requestId }) => requestId === FORMER_REQUEST);
  if (former) return former.id;
  if (credits === 0) await manager.addCredits({ email: EMAIL, amount: DEMO_CREDITS, note: "demo" });
  const account = { website: studio.url, email: EMAIL, password, twofa: totpSecret };
  const { taskId, created } = await orderDemo(client, account, demoEpisodes(studio.url));
  log.info(
    created ? `The demo request is made: 3 episodes for ${EMAIL} at ${studio.url}` : "The demo request of an earlier start is there.",
  );
  return taskId;
}

/** As a user would: a group with an account, a request on it, its start. Each step is left out where an earlier start has done it. */
async function orderDemo(
  { accounts, requests }: ApiClient,
  account: { website: string; email: string; password: string; twofa: string },
  episodes: WorkerEpisode[],
): Promise<{ taskId: string; created: boolean }> {
  const type = "podcast";
  const groups = await accounts.listGroups({ query: { search: NAME, service_type: type } });
  let group = groups.data.find(({ name }) => name === NAME)?.id;
  if (!group) {
    const made = await accounts.createGroup({ body: { name: NAME, service_type: type } });
    group = "group" in made ? made.group.id : made.id;
  }
  // What is there keeps what was learned since, and follows a port that has changed only by its own line.
  await accounts.importAccounts({ params: { id: group }, body: { accounts: [account], overwrite: true } });
  const known = (await requests.listRequests({ params: { type }, query: { search: NAME } })).data.find(({ name }) => name === NAME);
  const body = { name: NAME, group_id: group, auction_price: DEMO_PRICE, target: episodes.length, data: { episodes } };
  const { id } = known ?? (await requests.createRequest({ params: { type }, body }));
  const created = known === undefined || known.status === "pending";
  if (created) await requests.startRequest({ params: { type, id } });
  const [link] = (await requests.listLinks({ params: { type, id } })).data;
  if (!link) throw new Error(`the demo request ${id} has no work`);
  return { taskId: link.id, created };
}

/** Waits for the manager's word: completed with the feed link, or failed for good. */
async function settled(manager: Manager, taskId: string, studioUrl: string): Promise<DemoResult> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const task = await manager.task(taskId);
    const done = task?.status === "completed" && task.account.linkRss !== "";
    const over =
      task === null || task.status === "failed" || task.status === "cancel" || task.state === "needs_person" || Date.now() > deadline;
    if (done || over) return toResult(task, { ok: done, studio: studioUrl, manager: manager.url });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function toResult(task: TaskView | null, known: Pick<DemoResult, "ok" | "studio" | "manager">): DemoResult {
  const links = task?.note.startsWith("{") ? (JSON.parse(task.note) as Record<string, string>) : {};
  return {
    ...known,
    status: task?.status ?? "gone",
    episodes: (task?.episodes ?? []).map(({ id, title }) => ({ id, title, link: links[id] ?? "" })),
    link_rss: task?.account.linkRss ?? "",
    error: known.ok ? "" : task?.errorMessage || `the task did not end within ${DEADLINE_MS / 60_000} minutes`,
    seconds: Math.round(process.uptime() * 10) / 10,
  };
}

function printout(result: DemoResult, config: Config): string {
  const rows = result.episodes.map(({ title, link }, index) => [
    styled("dim", String(index + 1)),
    title,
    link ? styled("cyan", link) : styled("yellow", "not posted"),
  ]);
  const end = result.ok
    ? styleText("green", `✓ ${rows.length} episodes published and reported, ${result.seconds} s after the start`)
    : styleText("red", `✗ ${result.status}: ${result.error}`);
  return [
    "",
    table(rows),
    "",
    `RSS     ${styleText("cyan", result.link_rss || "-")}`,
    `Studio  ${result.studio}  ${styleText("dim", `sign in with what stands in ${join(config.data, "demo.json")}`)}`,
    "",
    end,
  ].join("\n");
}
