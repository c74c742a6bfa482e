import { setTimeout as delay } from "node:timers/promises";
import type { FarmProcess } from "./farm-process.ts";
import { timesOf } from "./times.ts";
import type { ChaosEvidence } from "./verdict.ts";
import type { Asked, Member, World } from "./world.ts";

/** One kill -9 of the farm. */
export interface Kill {
  /** From 1. */
  number: number;
  /** Epoch ms. */
  at: number;
  /** What it hit, for people. */
  hit: string;
}

export interface StormOptions {
  world: World;
  start: () => Promise<FarmProcess>;
  kills: number;
  signal: AbortSignal;
  /** Tells people how it goes. */
  onKill(kill: Kill): void;
  /** The farm works again, so many ms after the kill. */
  onBack(kill: Kill, ms: number): void;
  onFarm(farm: FarmProcess): void;
}

const MEMBERS = 4;
/** Tasks that wait or run at a time: always more than the farm takes at once. */
const OPEN = 6;
const POLL_MS = 150;
/** A kill at the click waits at most so long for one. */
const CLICK_WITHIN_MS = 25_000;
/** From the farm's being up to a kill at a random moment. */
const ANYWHERE_MS = { least: 200, most: 4500 } as const;
/** From the site's word that it is done to the kill: on average the answer is just being written down. */
const AFTER_CLICK_MS = 60;

/**
 * A farm at work on a stream of tasks, killed again and again, every second time at a publish request; then it is left in
 * peace until everything has come to its end.
 * @throws what the signal was aborted with
 */
export async function storm(options: StormOptions): Promise<ChaosEvidence> {
  const { world, start, kills, signal, onKill, onBack, onFarm } = options;
  const members = await Promise.all(Array.from({ length: MEMBERS }, async () => world.member()));
  let farm = await start();
  onFarm(farm);
  await farm.up();
  // Everybody is signed in once: a site that locks accounts would not like what comes.
  for (const member of members) await world.ask(member);
  await allOver(world, signal);

  const calm = new AbortController();
  const feeding = feed(world, members, AbortSignal.any([signal, calm.signal]));
  const faults: Kill[] = [];
  try {
    for (let number = 1; number <= kills; number++) {
      const hit = number % 2 === 1 ? await atTheClick(world, farm, signal) : await anywhere(farm, signal);
      const kill = { number, at: Date.now(), hit };
      faults.push(kill);
      onKill(kill);
      await farm.kill();
      farm = await start();
      onFarm(farm);
      await farm.up();
      onBack(kill, Date.now() - kill.at);
    }
  } finally {
    calm.abort();
    await feeding;
  }
  const persons = await allOver(world, signal, farm);
  return {
    title: "farm killed, half of it at the click",
    faults: faults.length,
    publishes: await world.publishes(),
    asked: await world.endings(persons),
    ...timesOf(
      faults.map(({ at }) => at),
      await world.heard(),
    ),
  };
}

/** Keeps work for everybody until the signal. */
async function feed(world: World, members: readonly Member[], signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted;) {
    const open = await openOnes(world);
    for (let missing = OPEN - open.length; missing > 0; missing--) await world.ask(members[turn++ % members.length] as Member);
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function openOnes(world: World): Promise<Asked[]> {
  const over = await Promise.all(world.asked.map(async (one) => world.isOver(one)));
  return world.asked.filter((_, index) => !over[index]);
}

/** @returns ids of the tasks that a person is asked about; they have come to their end, too */
async function allOver(world: World, signal: AbortSignal, farm?: FarmProcess): Promise<Set<string>> {
  for (;;) {
    const open = await openOnes(world);
    const shown = farm && open.length > 0 ? (await farm.status()).needsPerson.map(({ taskId }) => taskId) : [];
    const persons = new Set(shown);
    if (open.every(({ taskId }) => persons.has(taskId))) return persons;
    await delay(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Kills at a publish request: before it is handled, when it is handled and not answered, or a moment later. */
async function atTheClick(world: World, farm: FarmProcess, signal: AbortSignal): Promise<string> {
  const moments = [
    { moment: "arrived", afterMs: 0, say: "at the click: the request reached the site" },
    { moment: "handled", afterMs: 0, say: "at the click: published, not yet answered" },
    { moment: "handled", afterMs: Math.random() * AFTER_CLICK_MS, say: "at the click: the answer was on its way" },
  ] as const;
  const aim = moments[Math.floor(Math.random() * moments.length)] ?? moments[0];
  const seen = Promise.withResolvers<void>();
  const stop = world.onPublish((moment) => {
    if (moment !== aim.moment) return;
    // In the same breath: a timer's turn would let the request go on.
    if (aim.afterMs === 0) farm.signal("SIGKILL");
    seen.resolve();
  });
  try {
    const late = delay(CLICK_WITHIN_MS, "late" as const, { signal }).catch(() => signal.throwIfAborted());
    if ((await Promise.race([seen.promise, late])) === "late") return "no publish request came";
    if (aim.afterMs > 0) await delay(aim.afterMs);
    farm.signal("SIGKILL");
    return aim.say;
  } finally {
    stop();
  }
}

async function anywhere(farm: FarmProcess, signal: AbortSignal): Promise<string> {
  const { least, most } = ANYWHERE_MS;
  await delay(least + Math.random() * (most - least), undefined, { signal }).catch(() => signal.throwIfAborted());
  const { running } = await farm.status();
  farm.signal("SIGKILL");
  return running.length > 0 ? `anywhere: ${running.map(({ step }) => step).join(", ")}` : "anywhere: nothing had begun";
}
