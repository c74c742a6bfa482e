import type { DriverCard, PreparedEpisode } from "../../src/contract/task.ts";
import { Engine } from "../../src/coordinator/engine.ts";
import type { PreparationRequest } from "../../src/coordinator/ports.ts";
import type { Source } from "../../src/coordinator/source.ts";
import type { Log } from "../../src/kit/log.ts";
import type { Queue } from "../../src/store/queue.ts";
import type { Vault } from "../../src/store/vault.ts";
import { farmStore } from "./farm-store.ts";
import { never, type Machine } from "./machine.ts";
import type { FaultKind, Point } from "./mischief.ts";
import { tableQueue } from "./table-queue.ts";
import { simulatedPool } from "./worker.ts";
import type { World } from "./world.ts";
import { noBrowser } from "../support/no-browser.ts";

/** The driver's card of the simulated site, in one of three tiers. */
export function cardOf({
  tier,
  lagMs,
  windowMs,
  stepTimeoutMs,
}: Pick<World["scenario"], "tier" | "lagMs" | "windowMs" | "stepTimeoutMs">): DriverCard {
  // The site's own delay and the window come on top of the gate's 2 s and the request's deadline, which the coordinator knows.
  const extraMs = lagMs + windowMs;
  return {
    site: "simulated",
    module: "simulated",
    hosts: ["site.example"],
    tier,
    settleMs: extraMs === 0 ? 0 : 2000 + stepTimeoutMs + extraMs,
    concurrency: 2,
    login: "email",
    discards: tier === "drafts",
    imports: false,
    post: "request",
    limits: {
      title: { maxCharacters: 100 },
      about: { tags: [], maxCharacters: 1000 },
      cover: { minPixels: 1400, maxPixels: 3000, maxBytes: 500_000 },
      audio: { formats: ["mp3"], maxBytes: 10_000_000 },
    },
  };
}

/** The real coordinator on simulated ports, in a process that can die. Not yet started. */
export function simulatedFarm(world: World, machine: Machine): Engine {
  const { scenario, database, mischief, dice, durability, checker, card } = world;
  const store = farmStore({
    machine,
    database,
    mischief,
    dice,
    durability,
    backend: scenario.backend,
    onFlushed: (who) => checker.flushed(who),
  });
  return new Engine({
    store,
    vault: plainVault,
    queue: watchedQueue(
      world,
      machine,
      tableQueue(store, machine.clock, () => database.written("jobs")),
    ),
    clock: machine.clock,
    random: dice,
    log: logOf(world, machine),
    sources: [sourceOf(world, machine)],
    pool: simulatedPool(world, machine),
    prepare: async (request) => {
      await machine.wait(dice.skewed(0, 800));
      return { prepared: filesOf(request), fixes: [] };
    },
    prepareParallel: 2,
    disk: async () => null,
    cards: [card],
    sites: {},
    instance: machine.name,
    concurrency: scenario.concurrency,
    pollMs: scenario.pollMs,
    leaseMs: scenario.leaseMs,
    rules: world.rules,
    work: {
      browser: noBrowser,
      imap: null,
      locale: "en-US",
      timeZone: "UTC",
      stepTimeoutMs: scenario.stepTimeoutMs,
      settleMs: null,
      repost: "after-look",
      mode: "post",
      evidenceDir: "/nowhere",
    },
  });
}

/** Files that nobody opens. */
function filesOf({ episode, marker }: PreparationRequest): PreparedEpisode {
  const { id, title, about } = episode;
  const audio = { audioPath: `/nowhere/${marker}.mp3`, audioSeconds: 1, language: "en", narrated: true };
  return { id, title, aboutHtml: about, aboutText: about, coverPath: null, marker, ...audio };
}

/** Secrets are no subject here. */
const plain: Vault["bulk"] = { seal: (value) => value && `sealed:${value}`, open: (sealed) => sealed.replace(/^sealed:/, "") };
const plainVault: Vault = { keyId: "none", keyIds: ["none"], ...plain, bulk: plain };

function logOf({ trace, checker }: World, machine: Machine, task = ""): Log {
  const at = (level: string) => (message: string, fields?: { task?: string; episode?: string }) =>
    trace.say(machine.name, [level, fields?.task ?? task, fields?.episode, message].filter(Boolean).join(" "));
  return {
    debug: at("·"),
    info: at("·"),
    warn: at("!"),
    error(message, fields) {
      at("!!")(message, fields);
      if (message.startsWith("INVARIANT BROKEN")) checker.wrong("invariant", message);
    },
    child: (fields) => logOf({ trace, checker } as World, machine, fields.task ?? task),
  };
}

/** The queue, with its signs of life seen by the checker and struck by faults. */
function watchedQueue({ mischief, checker, timeline }: World, machine: Machine, queue: Queue): Queue {
  return {
    ...queue,
    async take(limit) {
      const { now } = timeline;
      const jobs = await queue.take(limit);
      for (const job of jobs) checker.jobTaken(machine, job.id, now);
      return jobs;
    },
    async touch(job) {
      const strike = mischief.pass(machine, "queue:touch");
      await machine.wait(strike?.stallMs ?? 0);
      if (strike?.error) throw strike.error;
      const { now } = timeline;
      const mine = await queue.touch(job);
      if (mine) checker.jobTouched(machine, job.id, now);
      return mine;
    },
  };
}

/** Farms of one ledger are one holder at the manager. */
const FLEET = "fleet";

interface Again {
  kind: "again";
  why: string;
  retryAfterMs: number | null;
}

/** The manager, at the other end of a network. */
function sourceOf(world: World, machine: Machine): Source {
  const { manager, mischief, dice, scenario, timeline, trace } = world;
  const again = (why: string, retryAfterMs: number | null = null): Again => ({ kind: "again", why, retryAfterMs });
  const hit = (kind: FaultKind): boolean => {
    if (!dice.chance(scenario.trouble[kind] ?? 0)) return false;
    mischief.count(kind);
    return true;
  };
  const exchange = async <T>(point: Point, act: () => T): Promise<T | Again> => {
    const strike = mischief.pass(machine, point);
    await machine.wait((strike?.stallMs ?? 0) + dice.skewed(2, 150));
    if (timeline.now < world.outageUntil || strike?.error || hit("manager-loses-requests")) {
      await machine.wait(dice.skewed(5, 3000));
      return again("the manager does not answer");
    }
    if (hit("manager-says-later")) return again("the manager answers 429", dice.between(500, 4000));
    const answer = act();
    mischief.pass(machine, "source:answered");
    if (machine.dead) return never();
    if (hit("manager-loses-replies")) {
      await machine.wait(dice.skewed(5, 3000));
      return again("the manager does not answer");
    }
    await machine.wait(dice.skewed(2, 150));
    return answer;
  };
  return {
    name: "manager:simulated",
    once: false,
    pull: async (limit) => exchange("source:pull", () => manager.pull(FLEET, limit)),
    read: async (taskId) => exchange("source:read", () => manager.read(taskId)),
    deliver: async (taskId, report) =>
      exchange(report.kind === "complete" ? "source:complete" : "source:start", () => {
        const answer = manager.take(FLEET, taskId, report);
        trace.say("manager", `${taskId} ${report.kind} from ${machine.name}: ${answer.kind === "final" ? answer.why : "taken"}`);
        return answer;
      }),
  };
}
