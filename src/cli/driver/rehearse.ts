import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { styleText } from "node:util";
import { sayFailure } from "../../contract/failures.ts";
import { rehearsalReport, type RehearsalReport } from "../../contract/rehearsal.ts";
import { workerTask, type WorkerTask } from "../../contract/worker-api.ts";
import type { Source } from "../../coordinator/source.ts";
import { makeBenchFiles } from "../../driver/bench-files.ts";
import { readAccountFile } from "../../driver/bench-target.ts";
import { UsageError, type Config } from "../../kit/config.ts";
import { createLog } from "../../kit/log.ts";
import { sayStep } from "../debug.ts";
import { farmStage, storeStage, type Parts } from "../parts.ts";
import { styled, table } from "../table.ts";
import { untilAsked } from "../signals.ts";
import { startStages } from "../stages.ts";
import { shownPath } from "./names.ts";

export interface RehearseOptions {
  url: string | undefined;
  /** Path of a JSON file. */
  account: string;
}

const DEADLINE_MS = 60 * 60_000;
/** A selector that is gone is waited for as long as a step may take. */
const STEP_SECONDS = 30;
const COVER_PIXELS = 1400;

/**
 * Walks the way of an episode on the real site, up to Publish, by the farm's own means: its sign-in budget counts, and its
 * session is kept. @returns 0 when all that the driver looked for was found  @throws UsageError
 */
export async function rehearse(given: Config, site: string, { url, account: path }: RehearseOptions): Promise<number> {
  if (url !== undefined && (!URL.canParse(url) || !/^https?:/.test(url)))
    throw new UsageError(`--url ${url} is no address (for example --url https://studio.example.com).`);
  const { account, imap } = await readAccountFile(path);
  const files = join(given.data, "rehearsal");
  await mkdir(files, { recursive: true, mode: 0o700 });
  const { audioPath, coverPath } = await makeBenchFiles(files, "rehearsal", COVER_PIXELS);
  const address = url && new URL(url);
  const config: Config = {
    ...given,
    concurrency: 1,
    stepSeconds: Math.min(given.stepSeconds, STEP_SECONDS),
    mediaDirs: [...given.mediaDirs, files],
    ...(imap && { imapHost: imap.host, imapPort: imap.port, ...(imap.caFile && { imapCaFile: imap.caFile }) }),
    ...(address && { sites: { ...given.sites, [address.host]: { driver: site, origin: address.origin } } }),
  };
  const parts: Parts = {};
  const log = createLog({ level: config.logLevel === "info" ? "warn" : config.logLevel, format: "pretty" });
  const asked = untilAsked(log);
  const task = (): WorkerTask =>
    workerTask.parse({
      id: `rehearsal-${site}-${startedAt}`,
      status: "queued",
      account_id: `rehearsal ${account.email ?? account.username ?? site}`,
      domain: address ? address.host : hostOf(parts, site),
      email: account.email,
      username: account.username,
      password: account.password,
      twofa: account.twofa,
      pass_mail: account.passMail,
      app_password: account.appPassword,
      data_content: [{ ...episode, audio_url: audioPath, image_url: coverPath }],
    });
  const stop = await startStages(
    [storeStage(config, log, parts), farmStage(config, log, parts, { source: () => sourceOf(site, task), mode: "walk" })],
    log,
  );
  try {
    const { farm } = parts;
    if (!farm) throw new Error("the farm did not come up");
    const { id } = task();
    const folder = join(config.data, "evidence", id, "rehearsal");
    const over = Promise.withResolvers<string>();
    farm.events.on("step", ({ position, total, step, detail }) => sayStep(position, total, step, detail));
    farm.events.on("task", ({ state, failure }) => {
      if (state !== "running") over.resolve(failure ? sayFailure(failure) : "");
    });
    await farm.start();
    const late = AbortSignal.timeout(DEADLINE_MS);
    late.addEventListener("abort", () => over.reject(new UsageError(`The rehearsal did not end within ${DEADLINE_MS / 60_000} minutes.`)));
    const end = await Promise.race([over.promise, asked]);
    if (typeof end === "number") return end;
    return await tell(folder, end);
  } finally {
    await stop();
    await rm(files, { recursive: true, force: true });
  }
}

const startedAt = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
/** The same each time, so that a draft that stayed is found again by its marker. */
const episode = {
  id: "rehearsal",
  title: "Rehearsal: not to be published",
  about:
    '<p>A draft that <strong>podcrew driver rehearse</strong> makes and takes away.</p><p><a href="https://example.com/?a=1&amp;b=2">A link</a></p><ul><li>one</li><li>two</li></ul>',
};

function hostOf({ farm }: Parts, site: string): string {
  const card = farm?.cards.find((one) => one.site === site);
  if (!card)
    throw new UsageError(
      `There is no driver "${site}". There are: ${farm?.cards.map((one) => one.site).join(", ")}. DRIVERS names the folder with your own.`,
    );
  return card.hosts[0] ?? "";
}

/** One task; what becomes of it is told to nobody. */
function sourceOf(site: string, task: () => WorkerTask): Source {
  let pulled = false;
  return {
    name: `rehearsal:${site}`,
    once: true,
    async pull() {
      const tasks = pulled ? [] : [task()];
      pulled = true;
      return { kind: "tasks", tasks, broken: [] };
    },
    read: async () => ({ kind: "task", task: { ...task(), status: "running" } }),
    deliver: async () => ({ kind: "delivered" }),
  };
}

const cross = styleText("red", "✗");
const marks = { yes: styled("green", "✓"), no: styled("red", "✗"), asked: styled("dim", "?") } as const;

/** The report as a table, a verb after the other. */
async function tell(folder: string, failure: string): Promise<number> {
  const text = await readFile(join(folder, "report.json"), "utf8").catch(() => null);
  if (!text) {
    process.stdout.write(`${cross} ${failure || "The walk did not begin."}\n`);
    return 1;
  }
  const report = rehearsalReport.parse(JSON.parse(text));
  const missing = report.sightings.filter(({ found }) => found === "no");
  const broken = report.verbs.filter((verb) => verb.failure !== "");
  const used = unique(report.sightings);
  process.stdout.write(
    `\n${table(used.map(({ verb, found, locator, action, note }) => [marks[found], styled("dim", verb), locator, action, styled("dim", note)]))}\n\n`,
  );
  for (const { verb, locator, note, candidates = [], picture } of missing)
    process.stdout.write(
      `${[
        `${cross} ${verb}: ${locator}: ${note}`,
        ...candidates.map((one) => `    ${one.likeness.toFixed(2)}  ${one.locator}`),
        ...(picture ? [`    screenshot ${shownPath(picture)}`] : []),
      ].join("\n")}\n`,
    );
  for (const { verb, failure: why } of broken) process.stdout.write(`${cross} ${verb} ended early: ${why}\n`);
  for (const remark of report.remarks) process.stdout.write(`${cross} ${remark}\n`);
  if (report.stopped > 0)
    process.stdout.write(
      `${cross} The publish request was about to leave before the verb publish, and was stopped: ${report.stopped} times.\n`,
    );
  if (failure && broken.length === 0) process.stdout.write(`${cross} ${failure}\n`);
  const holds = missing.length === 0 && broken.length === 0 && report.stopped === 0 && report.remarks.length === 0 && failure === "";
  process.stdout.write(`Walked through ${[...new Set(report.verbs.map(({ verb }) => verb))].join(", ")}.\n`);
  const ended = holds
    ? "All that the driver looks for is there."
    : missing.length > 0
      ? `${missing.length} of ${used.length} selectors have moved.`
      : "Not all is well.";
  process.stdout.write(`${ended} Nothing was published. Pictures of each verb: ${shownPath(folder)}\n`);
  return holds ? 0 : 1;
}

/** A selector that is used again and again is told once, as it was seen last. */
function unique(sightings: RehearsalReport["sightings"]): RehearsalReport["sightings"] {
  return [...new Map(sightings.map((one) => [`${one.verb} ${one.locator} ${one.action}`, one])).values()];
}
