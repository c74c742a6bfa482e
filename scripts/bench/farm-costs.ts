import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateSecret } from "otplib";
import sharp from "sharp";
import { table } from "../../src/cli/table.ts";
import { createLog, type Log } from "../../src/kit/log.ts";
import { openMediaPool } from "../../src/media/pool.ts";
import { openStore } from "../../src/store/store.ts";
import { openVault } from "../../src/store/vault.ts";
import { openStudio, type Studio } from "../../src/studio/studio.ts";
import { usageOfTree } from "./cpu.ts";
import type { BenchJob, BenchTask } from "./contestant.ts";

const GOAL = 1.1;
const SAMPLE_MS = 100;
const contestants = ["bare", "farm"] as const;
type Contestant = (typeof contestants)[number];

export interface FarmSizes {
  tasks: number;
  rounds: number;
  concurrency: number;
}

interface Score {
  cpuSeconds: number;
  wallSeconds: number;
  peakBytes: number;
}

interface Files {
  audioPath: string;
  coverPath: string;
}

/** Where they compete. */
interface Course extends FarmSizes {
  folder: string;
  studio: Studio;
  files: Files;
}

/**
 * What the farm costs beside a bare Playwright script that does the same tasks (sign in with password and TOTP, post three
 * episodes with cover and audio, read the RSS link) on the same studio, in one run, taking turns. Only ratios mean something.
 * @returns the report, and whether the site was asked to publish each episode exactly once
 */
export async function benchFarm(folder: string, sizes: FarmSizes): Promise<{ report: string; right: boolean }> {
  const log = createLog({ level: "error", format: "pretty" });
  const store = await openStore({ dataDir: folder, log });
  const studio = await openStudio({
    store,
    vault: openVault({ dataDir: folder, embedded: true }),
    log,
    config: {
      host: "127.0.0.1",
      port: 0,
      allowedHosts: [],
      publicUrl: undefined,
      dataDir: folder,
      smtpUrl: undefined,
      mailFrom: "studio@podcrew.example",
      timeZone: "UTC",
    },
    edges: { processingMs: 50 },
  });
  try {
    const scores = await competeInTurns({ ...sizes, folder, studio, files: await makeFiles(folder, log) });
    const handled = (await studio.history()).map(({ outcome }) => outcome);
    const expected = sizes.tasks * sizes.rounds * contestants.length * 3;
    const repeats = handled.filter((outcome) => outcome !== "published").length;
    return {
      report: `${report(sizes, scores)}\n\nThe site handled ${handled.length} publish requests for ${expected} episodes, ${repeats} repeats.`,
      right: handled.length === expected,
    };
  } finally {
    await studio.close();
    await store.close();
  }
}

async function competeInTurns(course: Course): Promise<Record<Contestant, Score[]>> {
  const scores: Record<Contestant, Score[]> = { bare: [], farm: [] };
  for (let round = 0; round < course.rounds; round += 1) {
    // Whoever goes first in a round goes second in the next: neither gets the colder caches every time.
    for (const name of round % 2 === 0 ? contestants : contestants.toReversed()) {
      const score = await compete(course, name, round);
      scores[name].push(score);
      process.stderr.write(`round ${round + 1}, ${name}: ${score.cpuSeconds.toFixed(1)} CPU-s\n`);
    }
  }
  return scores;
}

async function makeFiles(folder: string, log: Log): Promise<Files> {
  const pool = openMediaPool({ threads: 1, log });
  const audioPath = join(folder, "episode.mp3");
  await pool.narrate(
    { text: "This is the sound of a bench. ".repeat(20), language: "en-us", voice: "", wordsPerMinute: 170, title: "", outPath: audioPath },
    { signal: AbortSignal.timeout(120_000), onProgress: () => undefined },
  );
  await pool.close();
  const coverPath = join(folder, "cover.jpg");
  await sharp({ create: { width: 1500, height: 1500, channels: 3, background: "#0f766e" } })
    .jpeg()
    .toFile(coverPath);
  return { audioPath, coverPath };
}

/** Accounts and shows of their own for each contestant and round, so that nobody finds a session or an episode. */
async function makeTasks({ tasks, studio, files }: Course, name: Contestant, round: number): Promise<BenchTask[]> {
  return Promise.all(
    Array.from({ length: tasks }, async (_, index): Promise<BenchTask> => {
      const show = `bench-${name}-${round}-${index}`;
      const login = { email: `${show}@podcrew.example`, password: `demo-password-${show}`, totpSecret: generateSecret() };
      const { id } = await studio.accounts.create({
        email: login.email,
        password: login.password,
        secondFactor: "totp",
        totpSecret: login.totpSecret,
      });
      await studio.shows.create({ ownerId: id, name: show, title: show });
      const episodes = [1, 2, 3].map((number) => ({
        id: `${show}-${number}`,
        title: `Episode ${number}`,
        about: "A short description.",
        ...files,
      }));
      return { id: show, ...login, show, episodes };
    }),
  );
}

/** One contestant in a process of its own; measured from the start signal to its last word. */
async function compete(course: Course, name: Contestant, round: number): Promise<Score> {
  const { folder, studio, concurrency } = course;
  const dataDir = join(folder, `${name}-${round}`);
  await mkdir(dataDir);
  const child = fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const pid = child.pid ?? 0;
  const job: BenchJob = { studioUrl: studio.url, tasks: await makeTasks(course, name, round), concurrency, dataDir, mediaDir: folder };
  child.send(job);
  await says(child, "ready");
  const before = usageOfTree(pid).cpuSeconds;
  const began = performance.now();
  let peakBytes = 0;
  const sampler = setInterval(() => (peakBytes = Math.max(peakBytes, usageOfTree(pid).residentBytes)), SAMPLE_MS);
  child.send("go");
  await says(child, "done");
  clearInterval(sampler);
  const score = { cpuSeconds: usageOfTree(pid).cpuSeconds - before, wallSeconds: (performance.now() - began) / 1000, peakBytes };
  child.send("end");
  await once(child, "exit");
  return score;
}

async function says(child: ChildProcess, word: string): Promise<void> {
  const ended = once(child, "exit").then(([code]) =>
    Promise.reject(new Error(`a contestant ended with ${String(code)} before it was ${word}`)),
  );
  await Promise.race([once(child, "message"), ended]);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function report({ tasks, concurrency, rounds }: FarmSizes, scores: Record<Contestant, Score[]>): string {
  const of = (name: Contestant, read: (score: Score) => number): number => median(scores[name].map(read));
  const row = (title: string, read: (score: Score) => number, digits: number): string[] => [
    title,
    of("bare", read).toFixed(digits),
    of("farm", read).toFixed(digits),
    `${(of("farm", read) / of("bare", read)).toFixed(2)}×`,
  ];
  return [
    `${tasks} tasks of 3 episodes, ${concurrency} at a time, ${rounds} rounds (medians), ${cpus().length} cores, Node ${process.versions.node}`,
    "",
    table([
      ["", "bare script", "farm", "farm / bare"],
      row("CPU-seconds per task, whole tree", (score) => score.cpuSeconds / tasks, 2),
      row("seconds per task", (score) => score.wallSeconds / tasks, 2),
      row("peak memory, MB (shared pages counted for each)", (score) => score.peakBytes / 1024 / 1024, 0),
    ]),
    "",
    `Goal for the CPU ratio: at most ${GOAL.toFixed(2)}.`,
  ].join("\n");
}
