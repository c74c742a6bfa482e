import { MessageChannel, type MessagePort } from "node:worker_threads";
import { createBirpc } from "birpc";
import { Piscina } from "piscina";
import { z } from "zod";
import {
  assignmentResult,
  driverCard,
  type Assignment,
  type AssignmentResult,
  type CoordinatorCalls,
  type WorkerCalls,
} from "../contract/task.ts";
import { scriptAnswer } from "../contract/task-api.ts";
import { withDeadline } from "../kit/deadline.ts";
import { settings, type Setting } from "../kit/settings.ts";
import { createTurns } from "../kit/turns.ts";
import type { RunningAssignment, WorkerPool } from "./ports.ts";

export interface WorkerPoolOptions {
  /** Module with `describe`, `run` and `closeBrowser`. */
  workerModule: URL;
  maxThreads: number;
  /** Contexts in one browser before the next thread is opened. */
  tasksPerThread: number;
  /** TMPDIR of the threads and their browsers. */
  tmpDir: string;
  /** A thread is asked so often whether it is alive, ms; after three questions without an answer it is ended. */
  pingMs?: number;
}

const described = z.object({ cards: z.array(driverCard), problems: z.array(z.object({ module: z.string(), message: z.string() })) });
const CLOSE_BROWSER_MS = 5000;
/** A driver file that runs for ever when it is loaded. */
const DESCRIBE_WITHIN_MS = 20_000;
/** Each is a thread of its own beside those of the tasks. */
const SCRIPTS_AT_A_TIME = 2;
/** A thread that hangs on a page can still close its browser; one that is blocked can't do anything. */
const LAST_WORDS_MS = 2000;
/** A dead thread is known within 15 s. A suspended machine asks once after it wakes up and gets its answer then. */
const PING_MS = 3500;
const MAX_UNANSWERED = 3;

/** Drivers are other people's code: they need none of the farm's own secrets. */
const keptBack = Object.values<Setting>(settings)
  .filter((setting) => setting.secret || setting.keptBack)
  .map(({ env }) => env);

function threadEnvironment(tmpDir: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, TMPDIR: tmpDir };
  for (const name of keptBack) delete env[name];
  return env;
}

/** A worker thread: a pool of one, so that it is known which tasks live and die together. */
class Lane {
  readonly #piscina: Piscina;
  readonly alone: boolean;
  tasks = 0;
  #dead = false;

  constructor({ workerModule, tasksPerThread, tmpDir }: WorkerPoolOptions, alone: boolean) {
    this.alone = alone;
    this.#piscina = new Piscina({
      filename: workerModule.href,
      minThreads: 0,
      maxThreads: 1,
      // `describe` and `closeBrowser` have to find room beside the tasks.
      concurrentTasksPerWorker: tasksPerThread + 2,
      // The default freezes an idle thread's event loop: a kept browser's events and timers would starve.
      atomics: "disabled",
      stricterFIFO: true,
      idleTimeout: Number.POSITIVE_INFINITY,
      env: threadEnvironment(tmpDir),
    });
    // An error with no task under way; the thread is gone, the next task opens another.
    this.#piscina.on("error", () => (this.#dead = true));
  }

  get dead(): boolean {
    return this.#dead;
  }

  async call(name: string, value: unknown, transferList: MessagePort[] = []): Promise<unknown> {
    return this.#piscina.run(value, { name, transferList }) as Promise<unknown>;
  }

  /** @returns the worker's answer  @throws when the thread died */
  async run(assignment: Assignment, port: MessagePort): Promise<AssignmentResult> {
    this.tasks += 1;
    try {
      return assignmentResult.parse(await this.call("run", { assignment, port }, [port]));
    } catch (error) {
      // `run` never throws, so its thread is gone, and the other tasks of the thread get the same.
      this.#dead = true;
      throw error;
    } finally {
      this.tasks -= 1;
    }
  }

  async close(): Promise<void> {
    await this.#end(CLOSE_BROWSER_MS);
  }

  async kill(): Promise<void> {
    await this.#end(LAST_WORDS_MS);
  }

  /** A browser that outlives its thread leaves folders behind, and its entry with the kernel; a thread that never ran has none. */
  async #end(withinMs: number): Promise<void> {
    const mayHaveBrowser = !this.#dead && this.#piscina.threads.length > 0;
    this.#dead = true;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, withinMs);
    if (mayHaveBrowser) await Promise.race([this.call("closeBrowser", undefined).catch(() => undefined), late.promise]);
    clearTimeout(timer);
    await this.#piscina.destroy();
  }
}

/** Worker threads: one is filled before the next is opened, since each has a browser. */
export function openWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const lanes = new Set<Lane>();
  const scriptTurn = createTurns(SCRIPTS_AT_A_TIME);

  function open(alone: boolean): Lane {
    const lane = new Lane(options, alone);
    lanes.add(lane);
    return lane;
  }

  function laneFor(alone: boolean): Lane {
    for (const lane of lanes) if (lane.dead && lane.tasks === 0) retire(lane);
    if (alone) return open(true);
    const shared = [...lanes].filter((lane) => !lane.alone && !lane.dead);
    const free = shared.find((lane) => lane.tasks < options.tasksPerThread);
    if (free) return free;
    // The dispatcher never asks for more than there is room for; should it, the emptiest lane takes it.
    return shared.length < options.maxThreads ? open(false) : (shared.sort((a, b) => a.tasks - b.tasks)[0] as Lane);
  }

  function retire(lane: Lane): void {
    lanes.delete(lane);
    void lane.close().catch(() => undefined);
  }

  return {
    async describe(modules, { alone } = { alone: false }) {
      const lane = laneFor(alone);
      const ask = async (): Promise<unknown> => lane.call("describe", { modules });
      if (!alone) return described.parse(await ask());
      try {
        return described.parse(await withDeadline(DESCRIBE_WITHIN_MS, "loading it", ask));
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        return { cards: [], problems: modules.map((module) => ({ module, message })) };
      } finally {
        lanes.delete(lane);
        void lane.kill().catch(() => undefined);
      }
    },

    async script(module, script, config, count) {
      const endTurn = await scriptTurn();
      const lane = laneFor(true);
      try {
        return scriptAnswer.parse(
          await withDeadline(DESCRIBE_WITHIN_MS, `the script ${script}`, async () =>
            lane.call("script", { module, script, config, count }),
          ),
        );
      } catch (error) {
        return { broken: error instanceof Error ? error.message : String(error) };
      } finally {
        lanes.delete(lane);
        void lane
          .kill()
          .catch(() => undefined)
          .finally(endTurn);
      }
    },

    run(assignment, calls, alone): RunningAssignment {
      const lane = laneFor(alone);
      const { port1, port2 } = new MessageChannel();
      const rpc = connect(port1, calls);
      const unwatch = watchLife(
        async () => rpc.ping(),
        options.pingMs ?? PING_MS,
        () => void lane.kill(),
      );
      const result = lane.run(assignment, port2).finally(() => {
        unwatch();
        rpc.$close();
        port1.close();
        if (lane.alone || lane.dead) retire(lane);
      });
      return { result, cancel: (reason) => void rpc.cancel.asEvent(reason).catch(() => undefined), kill: async () => lane.kill() };
    },

    async close() {
      await Promise.all([...lanes].map(async (lane) => lane.close()));
      lanes.clear();
    },
  };
}

/** Deadlines live in the thread itself; a driver that blocks its event loop blocks them, too. @returns ends the watch */
function watchLife(ping: () => Promise<void>, everyMs: number, onDead: () => void): () => void {
  let unanswered = 0;
  const alive = (): void => void (unanswered = 0);
  const timer = setInterval(() => {
    if (unanswered >= MAX_UNANSWERED) return onDead();
    unanswered += 1;
    // Also "no such function" is an answer.
    ping().then(alive, alive);
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function connect(port: MessagePort, calls: CoordinatorCalls) {
  return createBirpc<WorkerCalls, CoordinatorCalls>(calls, {
    post: (data: unknown) => port.postMessage(data),
    on: (listener) => void port.on("message", listener),
    off: (listener) => void port.off("message", listener),
    bind: "functions",
  });
}
