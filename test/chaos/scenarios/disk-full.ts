import { execFile } from "node:child_process";
import { appendFile, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { postgresMissing } from "../../support/postgres.ts";
import type { FarmProcess } from "../support/farm-process.ts";
import { ScenarioSkipped, type ChaosContext, type ChaosScenario } from "../support/scenario.ts";
import { verdictOf, World, type WorldEvidence } from "../support/world.ts";

const run = promisify(execFile);
const DISK_MEGABYTES = 320;
/** Less than a farm wants to see free. */
const LITTLE_MEGABYTES = 24;
const MEGABYTE = 1024 * 1024;
const OPEN = 6;
const NOTICED_MS = 30_000;
/** By then everything that was armed before has had its answer. */
const QUIET_AFTER_MS = 9000;
const QUIET_MS = 4000;
const GOES_ON_MS = 45_000;
const END_MS = 90_000;
const ANSWERS_MS = 12_000;

/**
 * The disk of the data folder gets nearly full, then full, then read-only, while tasks stream in. The farm has to stop
 * claiming and say so, must send nothing that it could not write down, and goes on when there is room again.
 */
export const scenario: ChaosScenario = {
  name: "disk-full",
  title: "disk full, disk read-only",
  async run(context) {
    const problems: string[] = [];
    const notes: string[] = [];
    const evidences: WorldEvidence[] = [];
    evidences.push(
      await onOwnDisk(context, "pglite", problems, async (at) => {
        await at.harm("nearly full", /MB are left/, async () => fill(at.disk, LITTLE_MEGABYTES * MEGABYTE));
        await at.harm("full", null, async () => fill(at.disk, 0));
        notes.push(`the embedded database on a full disk: ${at.fate}`);
      }),
    );
    if (!postgresMissing)
      evidences.push(
        await onOwnDisk(context, "postgres", problems, async (at) => {
          await at.harm("full", /left|can't be written/, async () => fill(at.disk, 0));
          await at.harm("read-only", /can't be written \(EROFS\)/, async () =>
            run("mount", ["-o", "remount,ro", at.disk]).then(() => undefined),
          );
        }),
      );
    return verdictOf(scenario.title, evidences, problems, notes.join("; "));
  },
};

interface OwnDisk {
  disk: string;
  /** What became of the farm on the full disk. */
  fate: string;
  /** Harms the disk under the farm, looks on, heals it, and waits until the farm goes on. @param says what its status has to say; null: it may be dead */
  harm(what: string, says: RegExp | null, how: () => Promise<void>): Promise<void>;
}

async function onOwnDisk(
  context: ChaosContext,
  backend: "pglite" | "postgres",
  problems: string[],
  harms: (at: OwnDisk) => Promise<void>,
): Promise<WorldEvidence> {
  const disk = await mountDisk(context);
  const world = await World.open(context, { backend });
  await world.furnish(disk);
  let farm = world.spare();
  await farm.start(world.order(disk));
  const fed = new AbortController();
  const feeding = world.feed(OPEN, (index) => ({ tier: index % 2 === 0 ? "drafts" : "list" }), fed.signal);
  feeding.catch(() => undefined);
  const problem = (text: string): void => void problems.push(`${backend}: ${text}`);
  const at: OwnDisk = {
    disk,
    fate: "nothing",
    async harm(what, says, how) {
      const published = (): number => world.site.publishes.length;
      const before = published();
      await world.until("the farm posts", GOES_ON_MS, () => published() > before + 2);
      world.noteFault(farm.pid);
      await how();
      await world.rest(QUIET_AFTER_MS);
      if (says)
        await world
          .until(`its status says that the disk is ${what}`, NOTICED_MS, async () => says.test(await waits(farm)))
          .catch((error: Error) => problem(error.message));
      const quietFrom = published();
      await world.rest(QUIET_MS);
      if (published() > quietFrom) problem(`${published() - quietFrom} episodes were published while the disk was ${what}.`);
      at.fate = await fateOf(farm);
      await heal(disk);
      if (at.fate !== "it goes on") {
        await farm.kill();
        farm = world.spare();
        await farm.start(world.order(disk));
      }
      const healed = published();
      await world
        .until(`the farm goes on after the disk was ${what}`, GOES_ON_MS, () => published() > healed)
        .catch((error: Error) => problem(error.message));
      context.say(`${backend}, ${what}: ${at.fate}; it posts again`);
    },
  };
  await harms(at);
  fed.abort();
  await feeding;
  if (!(await world.settled(farm, END_MS))) context.say(`not all has ended: ${JSON.stringify(await farm.status())}`);
  const evidence = await world.evidence(farm);
  await farm.stop();
  return evidence;
}

async function waits(farm: FarmProcess): Promise<string> {
  return farm.status().then(
    ({ waits: sentences }) => sentences.join("\n"),
    () => "",
  );
}

async function fateOf(farm: FarmProcess): Promise<string> {
  if (farm.diedAt !== null) return `its process ended (${farm.said.trim().split("\n").at(-1)?.slice(0, 160)})`;
  const late = new Promise<string>((resolve) => setTimeout(() => resolve("it no longer answers and has to be started again"), ANSWERS_MS));
  return Promise.race([
    farm.status().then(
      () => "it goes on",
      (error: Error) => `its database no longer works (${error.message.split("\n", 1)[0]?.slice(0, 160)})`,
    ),
    late,
  ]);
}

async function mountDisk(context: ChaosContext): Promise<string> {
  const disk = await mkdtemp(join(tmpdir(), "podcrew-chaos-disk-"));
  context.after(async () => rm(disk, { recursive: true, force: true }));
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_MEGABYTES}m,mode=0700`, "podcrew-chaos", disk]);
  } catch {
    throw new ScenarioSkipped("a small disk can't be mounted here: that takes root, and a machine that allows it");
  }
  context.after(async () => void (await run("umount", ["-l", disk])));
  return disk;
}

/** Writes until only so much is left. */
async function fill(disk: string, leaveBytes: number): Promise<void> {
  const block = Buffer.alloc(MEGABYTE / 4, 1);
  const path = join(disk, "filler");
  await writeFile(path, "");
  for (;;) {
    const { bavail, bsize } = await statfs(disk);
    if (bavail * bsize <= leaveBytes) return;
    const full = await appendFile(path, block).then(
      () => false,
      () => true,
    );
    if (full) return;
  }
}

async function heal(disk: string): Promise<void> {
  await run("mount", ["-o", "remount,rw", disk]);
  await rm(join(disk, "filler"), { force: true });
}
