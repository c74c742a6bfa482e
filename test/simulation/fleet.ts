import type { Engine } from "../../src/coordinator/engine.ts";
import type { SeenEpisode } from "./database.ts";
import { simulatedFarm } from "./farm.ts";
import type { Fleet } from "./faults.ts";
import { Machine } from "./machine.ts";
import { diceOf } from "./random.ts";
import type { World } from "./world.ts";

interface Member {
  slot: string;
  starts: number;
  machine: Machine | null;
  engine: Engine | null;
}

const DRAIN_MS = 30_000;
const RETRY_MS = 500;
const PERSON_MS = 10_000;

const endStates: ReadonlySet<string> = new Set(["completed", "failed", "canceled"]);
/** In somebody's hands, or to be looked up by a run that is still to come: what is held for a person is not. */
export function openEpisodes(columns: string): string {
  return `select ${columns} from farm.episodes e join farm.tasks t on t.id = e.task_id
    where e.state in ('claimed', 'ready', 'armed') or (e.state in ('waiting', 'doubt') and t.state not in ('completed', 'failed', 'canceled', 'needs_person'))
      or (e.state = 'doubt' and t.state <> 'needs_person')`;
}

const openRows = [
  openEpisodes("count(*) as count"),
  "select count(*) as count from farm.tasks where state in ('waiting', 'claimed', 'running', 'unsure')",
  "select count(*) as count from farm.outbox where state = 'pending'",
  "select count(*) as count from sim.jobs",
] as const;

/** The farms of one seed: who lives, who comes back, and whether anything is left to do. */
export class SimulatedFleet implements Fleet {
  readonly #world: World;
  readonly #members: Member[];
  readonly #watchers: { machine: Machine; state: string; wake: () => void }[] = [];
  /** Things that are planned and must happen before the seed may end. */
  #expected = 0;
  /** While one lasts, no farm lives. */
  #outages = 0;
  readonly #asked = new Set<string>();

  constructor(world: World) {
    this.#world = world;
    this.#members = Array.from({ length: world.scenario.farms }, (_, number) => ({
      slot: String.fromCharCode(65 + number),
      starts: 0,
      machine: null,
      engine: null,
    }));
  }

  startAll(): void {
    for (const member of this.#members) this.#startLater(member, member.slot === "A" ? 0 : this.#world.dice.skewed(0, 4000));
  }

  living(): Machine[] {
    return this.#members.flatMap(({ machine }) => (machine && !machine.dead ? [machine] : []));
  }

  kill(machine: Machine, restartMs: number): void {
    const member = this.#members.find((one) => one.machine === machine);
    this.#world.trace.say(machine.name, "is killed");
    machine.die();
    if (member) this.#startLater(member, restartMs);
  }

  drain(machine: Machine, restartMs: number): void {
    const member = this.#members.find((one) => one.machine === machine);
    if (!member?.engine || machine.dead || machine.frozen) return;
    const expected = this.expect();
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      expected.over();
      this.#world.trace.say(machine.name, "has ended");
      if (machine.dead) return;
      machine.die();
      this.#startLater(member, restartMs);
    };
    this.#world.trace.say(machine.name, "is asked to end");
    machine.onDeath(end);
    // Whoever asked kills what does not end: a container's runtime does.
    this.#world.timeline.after(DRAIN_MS * 2, end);
    member.engine.stop(DRAIN_MS).then(end, end);
  }

  outage(restMs: number, mend: () => void): void {
    const { timeline, trace } = this.#world;
    const expected = this.expect();
    const dead = this.#members.filter(({ machine }) => machine && !machine.dead);
    for (const { machine } of dead) machine?.die();
    trace.say("power", "all farms are gone");
    this.#outages += 1;
    timeline.after(restMs, () => {
      this.#outages -= 1;
      mend();
      for (const member of dead) this.#startLater(member, this.#world.dice.skewed(0, 3000));
      expected.over();
    });
  }

  expect(): { over(): void } {
    this.#expected += 1;
    let over = false;
    return {
      over: () => {
        if (!over) this.#expected -= 1;
        over = true;
      },
    };
  }

  onOthersMove(machine: Machine, state: string, wake: () => void): void {
    this.#watchers.push({ machine, state, wake });
  }

  moved(machine: Machine, rows: readonly SeenEpisode[]): void {
    for (const watcher of this.#watchers.splice(0))
      if (watcher.machine !== machine && rows.some((row) => row.state === watcher.state)) watcher.wake();
      else this.#watchers.push(watcher);
  }

  /** Nothing is left to do, nothing is on its way, and nothing is planned. A person is asked on the way there. */
  atRest(): boolean {
    const { database, manager, site, outageUntil, timeline } = this.#world;
    if (this.#expected > 0 || site.inFlight > 0 || outageUntil > timeline.now) return false;
    if (this.living().some((machine) => machine.frozen)) return false;
    const waits = new Set(database.peek("select id from farm.tasks where state = 'needs_person'").map((row) => row["id"]));
    for (const [id, { link, gone }] of manager.books) if (!gone && !endStates.has(link.state) && !waits.has(id)) return false;
    if (openRows.some((sql) => database.peek(sql)[0]?.["count"] !== 0)) return false;
    return !this.#askPerson();
  }

  /** Somebody looks at the site and says what is true. @returns whether there was something to ask */
  #askPerson(): boolean {
    const { scenario, database, site, timeline, trace, checker } = this.#world;
    if (!scenario.personAnswers) return false;
    const rows = database.peek(
      `select e.account_key, e.episode_id, t.id as task from farm.episodes e join farm.tasks t on t.id = e.task_id
        where e.state in ('needs_person', 'doubt') and t.state = 'needs_person'`,
    );
    const fresh = rows.filter((row) => !this.#asked.has(`${row["account_key"] as string}|${row["episode_id"] as string}`));
    for (const row of fresh) {
      const [account, episode, task] = [row["account_key"] as string, row["episode_id"] as string, row["task"] as string];
      this.#asked.add(`${account}|${episode}`);
      const expected = this.expect();
      const answer = (): void => {
        const engine = this.#members.find(({ machine }) => machine && !machine.dead && !machine.frozen)?.engine;
        if (!engine) return timeline.after(1000, answer);
        const [copy] = checker.copies(site, account, episode);
        trace.say("person", copy ? `${episode} is at ${copy.link}` : `${episode} is not there`);
        const over = (): void => expected.over();
        timeline.after(5000, over);
        const word = copy ? { task, episode, posted: copy.link } : { task, episode, absent: true as const };
        // In doubt still, where the task itself was what needed somebody: let it go on.
        void engine
          .resolve(word)
          .then(async (refusal) => refusal && engine.resolve({ task }))
          .then(over, over);
      };
      timeline.after(PERSON_MS, answer);
    }
    return fresh.length > 0;
  }

  #startLater(member: Member, afterMs: number): void {
    const expected = this.expect();
    const { timeline, trace, scenario } = this.#world;
    timeline.after(afterMs, () => {
      expected.over();
      if (member.machine && !member.machine.dead) return;
      // Nobody comes back while somebody works on the ledger.
      if (this.#outages > 0) return this.#startLater(member, RETRY_MS);
      member.starts += 1;
      const name = `${member.slot}${member.starts}`;
      const machine = new Machine(name, timeline, diceOf(scenario.seed, `machine ${name}`));
      member.machine = machine;
      member.engine = simulatedFarm(this.#world, machine);
      trace.say(name, "starts");
      member.engine.start().catch((error: unknown) => {
        // A start that fails ends the process, and whoever watches it starts another.
        trace.say(name, `does not come up: ${String(error)}`);
        this.kill(machine, 2000);
      });
    });
  }
}
