import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { judge, withProblems, type AskedEpisode, type ChaosEvidence, type ChaosVerdict } from "../../../src/cli/chaos/verdict.ts";
import { markerOf } from "../../../src/coordinator/marker.ts";
import type { FarmStatus } from "../../../src/coordinator/status.ts";
import { openManager, type Manager } from "../../../src/manager/manager.ts";
import { openStore, type Store } from "../../../src/store/store.ts";
import { openVault } from "../../../src/store/vault.ts";
import { freshDatabase, postgresMissing } from "../../support/postgres.ts";
import { copyEmptyDatabase, silentLog } from "../../support/store.ts";
import { aboutText, preparedCache, title } from "./episode-files.ts";
import type { FarmOrder } from "./farm-messages.ts";
import { FarmProcess, type FarmProcessOptions } from "./farm-process.ts";
import { hostOf, SETTLE_SECONDS, siteOf, STEP_SECONDS, tiers, type Tier } from "./paper-protocol.ts";
import { PaperSite, type SiteFaults, type SiteVisit } from "./paper-site.ts";
import { ScenarioSkipped, type ChaosContext } from "./scenario.ts";

export interface WorldOptions {
  backend: Store["backend"];
  site?: Partial<SiteFaults>;
  /** Whoever takes over may be hit itself before it can: such faults say nothing of how long it takes. */
  successorsDie?: boolean;
  /** Stands between farms and the manager. */
  managerUrl?: (real: string) => string;
}

export interface TaskWish {
  tier: Tier;
  episodes?: number;
  /** Without a stored session: it has to sign in, which is counted. */
  signsIn?: boolean;
  /** One of `manners`. */
  manner?: string;
  /** Absent: one of its own. */
  account?: string;
  /** This one may end as failed. */
  mayFail?: boolean;
}

interface Asked extends Required<Pick<TaskWish, "tier" | "mayFail">> {
  taskId: string;
  email: string;
  episode: string;
  marker: string;
}

/** A fault that broke what a process was at. */
interface Fault {
  at: number;
  pid: number;
}

export interface WorldEvidence extends Omit<ChaosEvidence, "title"> {
  /** Episodes that wait for a person. */
  inDoubt: Record<Tier, number>;
  /** What else is not as it should be, a sentence each. */
  wrong: string[];
}

interface LinkRow {
  id: string;
  state: string;
  note: string;
  error_message: string;
  completed_at: Date | null;
}

type Common = Pick<FarmOrder, "databaseUrl" | "key" | "managerUrl" | "apiKey">;

const ALARM = /INVARIANT BROKEN|DUPLICATE_ON_SITE|farm\.invariant|farm\.bug/;
const POLL_MS = 100;
const ended = new Set(["completed", "failed", "canceled"]);

/** The real manager on its own store, the paper site, and farms in processes of their own; closed with the scenario. */
export class World {
  readonly backend: Store["backend"];
  readonly site: PaperSite;
  readonly manager: Manager;
  readonly farms = new Set<FarmProcess>();
  readonly asked: Asked[] = [];
  readonly #faults: Fault[] = [];
  readonly #alarms: string[] = [];
  readonly #successorsDie: boolean;
  readonly #context: ChaosContext;
  readonly #managerStore: Store;
  readonly #folder: string;
  readonly #common: Common;

  private constructor(
    context: ChaosContext,
    parts: {
      backend: Store["backend"];
      site: PaperSite;
      manager: Manager;
      managerStore: Store;
      folder: string;
      common: Common;
      successorsDie: boolean;
    },
  ) {
    this.#context = context;
    this.backend = parts.backend;
    this.site = parts.site;
    this.manager = parts.manager;
    this.#managerStore = parts.managerStore;
    this.#folder = parts.folder;
    this.#common = parts.common;
    this.#successorsDie = parts.successorsDie;
  }

  /** @throws ScenarioSkipped without PostgreSQL where that is wanted */
  static async open(context: ChaosContext, options: WorldOptions): Promise<World> {
    if (options.backend === "postgres" && postgresMissing) throw new ScenarioSkipped(postgresMissing);
    const folder = await mkdtemp(join(tmpdir(), "podcrew-chaos-"));
    context.after(async () => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    const site = new PaperSite(options.site);
    await site.open();
    context.after(async () => site.close());
    const managerDir = join(folder, "manager");
    await mkdir(managerDir);
    if (postgresMissing) await copyEmptyDatabase(managerDir);
    const managerStore = await openStore({
      dataDir: managerDir,
      databaseUrl: postgresMissing ? undefined : await freshDatabase(),
      log: silentLog,
    });
    context.after(async () => managerStore.close());
    const manager = await openManager({
      store: managerStore,
      vault: openVault({ dataDir: managerDir, embedded: true }),
      log: silentLog,
      config: { host: "127.0.0.1", port: 0, allowedHosts: [], publicUrl: undefined },
    });
    context.after(async () => manager.close());
    const { key: apiKey } = await manager.keys.create({ name: "chaos" });
    const common = {
      databaseUrl: options.backend === "postgres" ? await freshDatabase() : null,
      key: options.backend === "postgres" ? randomBytes(32).toString("base64") : null,
      managerUrl: options.managerUrl?.(manager.url) ?? manager.url,
      apiKey,
    };
    const world = new World(context, {
      backend: options.backend,
      site,
      manager,
      managerStore,
      folder,
      common,
      successorsDie: options.successorsDie ?? false,
    });
    context.after(async () => world.#killAll());
    return world;
  }

  /** A data folder; farms on PostgreSQL have one each, all with the one cache of ready files. */
  async dataDir(name = "farm"): Promise<string> {
    const dataDir = join(this.#folder, name);
    await this.furnish(dataDir);
    return dataDir;
  }

  /** Makes a folder a data folder with an empty database and the ready files. */
  async furnish(dataDir: string): Promise<void> {
    await mkdir(dataDir, { recursive: true });
    if (this.backend === "pglite") await copyEmptyDatabase(dataDir);
    await symlink(await preparedCache(), join(dataDir, "cache"));
  }

  order(dataDir: string, over: Partial<FarmOrder> & { settings?: Record<string, unknown> } = {}): FarmOrder {
    return {
      dataDir,
      ...this.#common,
      workerId: `farm-${basename(dataDir)}`,
      sites: Object.fromEntries(tiers.map((tier) => [hostOf(tier), { driver: siteOf(tier), origin: this.site.origin(tier) }])),
      ...over,
      settings: {
        concurrency: 4,
        pollSeconds: 0.2,
        stepSeconds: STEP_SECONDS,
        settleSeconds: SETTLE_SECONDS,
        logLevel: process.env["CHAOS_LOG"] ?? "warn",
        ...over.settings,
      },
    };
  }

  /** A process that will be a farm; loading starts at once. */
  spare(options: FarmProcessOptions = {}): FarmProcess {
    const farm = new FarmProcess(options);
    this.farms.add(farm);
    void farm.ended.then(() => {
      this.farms.delete(farm);
      this.#alarms.push(...farm.said.split("\n").filter((line) => ALARM.test(line)));
    });
    return farm;
  }

  async #killAll(): Promise<void> {
    await Promise.all(
      [...this.farms].map(async (farm) => {
        farm.thaw();
        await farm.kill();
      }),
    );
  }

  /** Asks the manager for a task on an account of its own. */
  async give({ tier, episodes = 1, signsIn = false, manner = "", account, mayFail = false }: TaskWish): Promise<string> {
    const name = account ?? `${manner || "somebody"}-${randomUUID().slice(0, 13)}`;
    const ids = Array.from({ length: episodes }, () => randomUUID());
    const { taskId, accountId } = await this.manager.makeTask({
      account: {
        email: `${name}@paper.example`,
        ...(manner && { username: manner }),
        password: "demo-password",
        ...(!signsIn && { cookie: "session=demo" }),
      },
      website: hostOf(tier),
      maxRetries: 0,
      episodes: ids.map((id) => ({ id, title, about: `<p>${aboutText}</p>` })),
    });
    const email = `${name}@paper.example`;
    for (const id of ids)
      this.asked.push({ taskId, email, episode: id, marker: markerOf(`${siteOf(tier)}:${accountId}`, id), tier, mayFail });
    return taskId;
  }

  /** Keeps so many tasks open until the signal fires. @param wish the k-th, from 0 */
  async feed(open: number, wish: (index: number) => TaskWish, until: AbortSignal): Promise<void> {
    for (let given = 0; !until.aborted;) {
      const missing = open - (await this.#links("state not in ('completed', 'failed', 'canceled')")).length;
      for (let i = 0; i < missing && !until.aborted; i += 1) await this.give(wish(given++));
      await this.rest();
    }
  }

  say(text: string): void {
    this.#context.say(text);
  }

  async rest(ms = POLL_MS): Promise<void> {
    this.#context.signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Waits until something is so. @throws with `what` when it is not in time */
  async until(what: string, withinMs: number, seen: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!(await seen())) {
      if (Date.now() > deadline) throw new Error(`this did not happen within ${Math.round(withinMs / 1000)} s: ${what}`);
      await this.rest();
    }
  }

  /** A process dies or freezes now: what it was at counts as broken. */
  noteFault(pid: number, at = Date.now()): void {
    this.#faults.push({ at, pid });
  }

  get faults(): number {
    return this.#faults.length;
  }

  async kill(farm: FarmProcess): Promise<void> {
    this.noteFault(farm.pid);
    await farm.kill();
  }

  /** Tasks that the manager shows as open, of those that wait for nobody. */
  async unfinished(farm: FarmProcess): Promise<string[]> {
    const open = await this.#links("state not in ('completed', 'failed', 'canceled')");
    if (open.length === 0) return [];
    const status = await farm.status();
    const waiting = new Set(status.needsPerson.map((person) => person.taskId));
    for (const { taskId, email } of this.asked) if (keepsDistance(email, status)) waiting.add(taskId);
    return open.map(({ id }) => id).filter((id) => !waiting.has(id));
  }

  /** Tasks that several processes worked on. */
  contested(): number {
    const holders = new Map<string, Set<number>>();
    for (const { task, pid } of this.site.visits) holders.set(task, (holders.get(task) ?? new Set()).add(pid));
    return [...holders.values()].filter((pids) => pids.size > 1).length;
  }

  /** Waits until every task has ended or waits for a person. False: it did not come to that in time. */
  async settled(farm: FarmProcess, withinMs: number): Promise<boolean> {
    const deadline = Date.now() + withinMs;
    while ((await this.unfinished(farm)).length > 0) {
      if (Date.now() > deadline || farm.diedAt !== null) return false;
      await this.rest();
    }
    return true;
  }

  async taskState(taskId: string): Promise<string> {
    return (await this.#links(`id = '${taskId}'`))[0]?.state ?? "unknown";
  }

  /** What the site and the manager saw. @param farm shows what waits for a person; null: nobody does */
  async evidence(farm: FarmProcess | null, only: (asked: Asked) => boolean = () => true): Promise<WorldEvidence> {
    const status = farm && farm.diedAt === null ? await farm.status() : null;
    const links = new Map((await this.#links("true")).map((row) => [row.id, row]));
    const chosen = this.asked.filter(only);
    const known = new Set(this.asked.map(({ marker }) => marker));
    const mine = new Set(chosen.map(({ marker }) => marker));
    const asked = chosen.map((one) => askedOf(one, links.get(one.taskId), status));
    return {
      faults: this.#faults.length,
      // Copies of what nobody asked for count everywhere.
      publishes: this.site.publishes.filter(({ episode }) => mine.has(episode) || !known.has(episode)),
      asked,
      ...this.#times(links),
      inDoubt: countByTier(chosen, status),
      wrong: [...this.#wrongLinks(asked), ...this.#alarmsOf(farm), ...failuresOf(chosen, links)],
    };
  }

  /** Faults that met a publish request of this tier under way: after the arm, before its outcome was written down. */
  faultsAfterSend(tier: Tier): number {
    const tasks = new Set(this.asked.filter((one) => one.tier === tier).map(({ taskId }) => taskId));
    const last = new Map<string, SiteVisit>();
    let [next, count] = [0, 0];
    for (const fault of this.#faults) {
      for (; (this.site.visits[next]?.at ?? Number.POSITIVE_INFINITY) <= fault.at; next += 1) {
        const visit = this.site.visits[next]!;
        if (tasks.has(visit.task)) last.set(visit.task, visit);
      }
      if ([...last.values()].some((visit) => visit.pid === fault.pid && visit.what === "POST publish")) count += 1;
    }
    return count;
  }

  /** What a farm itself cried out about is wrong, whatever the site and the manager say. */
  #alarmsOf(farm: FarmProcess | null): string[] {
    const now = farm?.said.split("\n").filter((line) => ALARM.test(line)) ?? [];
    return [...this.#alarms, ...now].map((line) => `A farm said: ${line.slice(0, 300)}`);
  }

  /** What the manager was told has to lead to the copy. */
  #wrongLinks(asked: readonly AskedEpisode[]): string[] {
    return asked
      .filter(
        ({ ended: end, episode, link }) =>
          end === "completed" && this.site.linksOf(episode).length > 0 && !this.site.linksOf(episode).includes(link),
      )
      .map(({ episode, link }) => `${episode} was reported at ${link || "no address"}, and the site has it elsewhere.`);
  }

  /** From each fault to the first request of somebody else for what it broke, and to the end of all that it broke. */
  #times(links: ReadonlyMap<string, LinkRow>): { detectMs: number[]; recoverMs: number[] } {
    const visits = new Map<string, { at: number; pid: number }[]>();
    for (const { task, at, pid } of this.site.visits) {
      const known = visits.get(task);
      if (known) known.push({ at, pid });
      else visits.set(task, [{ at, pid }]);
    }
    const [detectMs, recoverMs]: [number[], number[]] = [[], []];
    for (const fault of this.#faults) {
      let [first, last] = [Number.POSITIVE_INFINITY, 0];
      for (const [task, seen] of visits) {
        const end = links.get(task)?.completed_at?.getTime();
        if (end !== undefined && end <= fault.at) continue;
        // Whoever asked for it last before the fault was at it.
        if (seen.findLast(({ at }) => at <= fault.at)?.pid !== fault.pid) continue;
        const successor = seen.find(({ at, pid }) => at > fault.at && pid !== fault.pid);
        // Whoever had to take over was hit itself meanwhile: that says nothing of how long it takes.
        const calm = (until: number): boolean =>
          !this.#successorsDie || !this.#faults.some((other) => other.at > fault.at && other.at < until);
        if (successor && calm(successor.at)) first = Math.min(first, successor.at - fault.at);
        if (end !== undefined && calm(end)) last = Math.max(last, end - fault.at);
      }
      if (Number.isFinite(first)) detectMs.push(first);
      if (last > 0) recoverMs.push(last);
    }
    return { detectMs, recoverMs };
  }

  async #links(where: string): Promise<LinkRow[]> {
    const { rows } = await this.#managerStore.raw(`select id, state, note, error_message, completed_at from manager.links where ${where}`);
    return rows as LinkRow[];
  }
}

/** Why something ended as failed that may not. */
function failuresOf(chosen: readonly Asked[], links: ReadonlyMap<string, LinkRow>): string[] {
  return chosen
    .filter(({ taskId, mayFail }) => !mayFail && links.get(taskId)?.state === "failed")
    .map(({ taskId, marker }) => `${marker}: the manager was told: ${links.get(taskId)?.error_message}`);
}

/** Those that a person is asked about by name. */
function countByTier(chosen: readonly Asked[], status: FarmStatus | null): Record<Tier, number> {
  const count = { drafts: 0, list: 0, blind: 0 };
  for (const { episodeId } of status?.needsPerson ?? []) {
    const one = chosen.find(({ episode }) => episode === episodeId);
    if (one) count[one.tier] += 1;
  }
  return count;
}

/** One verdict over several worlds. */
export function verdictOf(title: string, evidences: readonly WorldEvidence[], problems: readonly string[] = [], note = ""): ChaosVerdict {
  const verdict = judge({
    title,
    faults: evidences.reduce((sum, { faults }) => sum + faults, 0),
    publishes: evidences.flatMap(({ publishes }) => publishes),
    asked: evidences.flatMap(({ asked }) => asked),
    detectMs: evidences.flatMap(({ detectMs }) => detectMs),
    recoverMs: evidences.flatMap(({ recoverMs }) => recoverMs),
  });
  const all = withProblems(verdict, [...evidences.flatMap(({ wrong }) => wrong), ...problems]);
  const kept = evidences.flatMap(({ asked }) => asked).filter(({ ended: end, waitsUntil }) => end === "open" && waitsUntil).length;
  const notes = [note, kept > 0 ? `${kept} wait for the sign-in's distance` : ""].filter(Boolean).join("; ");
  return notes ? { ...all, note: notes } : all;
}

/** When the sign-in is tried again, where submits that were cut off make it wait, a quarter of an hour or a day; as a person is shown it. */
function keepsDistance(email: string, status: FarmStatus | null): string | undefined {
  const said = status?.waits.find(
    (wait) =>
      wait.startsWith(`${email} `) && /keeps its distance|sign-in tries in 24 hours|a third within a day|waits for its turn/.test(wait),
  );
  return said && /Next try (?:at|on) (.+)\./.exec(said)?.[1];
}

function askedOf({ taskId, email, episode, marker, mayFail }: Asked, row: LinkRow | undefined, status: FarmStatus | null): AskedEpisode {
  const state = row?.state ?? "open";
  // A task waits as a whole: what is posted of it is reported together with what a person decides.
  const waits = status?.needsPerson.some((one) => one.taskId === taskId) ?? false;
  const links = (row?.note ? JSON.parse(row.note) : {}) as Record<string, string>;
  return {
    episode: marker,
    ended: ended.has(state) ? (state as "completed") : "open",
    link: links[episode] ?? "",
    waitsForPerson: waits,
    waitsUntil: keepsDistance(email, status),
    mayFail,
  };
}
