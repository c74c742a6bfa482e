import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { withDeadline } from "../../../src/kit/deadline.ts";
import type { CrashPoint } from "../../../src/kit/crashpoint.ts";
import type { FarmStatus } from "../../../src/coordinator/status.ts";
import type { FarmOrder, FromFarm, MemoryUse, ToFarm } from "./farm-messages.ts";

const WARM_MS = 60_000;
const START_MS = 60_000;
const ANSWER_MS = 20_000;
const SAID_KEPT = 16_000;

export interface FarmProcessOptions {
  /** Dies there, at the given pass. */
  crashpoint?: CrashPoint | undefined;
  pass?: number;
  exposeGc?: boolean;
  /** A stand-in for the farm, for the naive one. */
  entry?: URL;
}

/** A farm in a process of its own, which can be killed, frozen and asked. It dies with this process. */
export class FarmProcess {
  readonly child: ChildProcess;
  /** Resolves once it is dead and all that it said has arrived. */
  readonly ended: Promise<void>;
  /** Epoch ms; null while it lives. */
  diedAt: number | null = null;
  #said = "";
  readonly #warm: Promise<void>;
  readonly #waiting = new Set<{ kind: FromFarm["kind"]; resolve: (message: FromFarm) => void; reject: (error: Error) => void }>();

  constructor({ crashpoint, pass = 1, exposeGc = false, entry = new URL("../paper-farm.ts", import.meta.url) }: FarmProcessOptions = {}) {
    this.child = fork(fileURLToPath(entry), [], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: exposeGc ? ["--expose-gc"] : [],
      // One arena: what the allocator keeps in many is no leak, and would look like one.
      env: {
        ...process.env,
        ...(exposeGc && { MALLOC_ARENA_MAX: "1" }),
        ...(crashpoint && { PODCREW_CRASHPOINT: `${crashpoint}:${pass}` }),
      },
    });
    this.child.stderr?.on("data", (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-SAID_KEPT)));
    this.child.on("message", (message: FromFarm) => this.#hear(message));
    this.child.on("error", () => undefined);
    this.child.once("exit", () => (this.diedAt = Date.now()));
    // What it said last may come after its exit.
    this.ended = once(this.child, "close").then(() => {
      for (const { reject } of this.#waiting) reject(new Error(`the farm process has ended\n${this.said}`));
      this.#waiting.clear();
    });
    this.#warm = this.#answer("warm", WARM_MS).then(() => undefined);
    this.#warm.catch(() => undefined);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The last of what it logged. */
  get said(): string {
    return this.#said;
  }

  /** It has loaded everything and waits for its order. */
  async warm(): Promise<void> {
    await this.#warm;
  }

  /** @throws when it dies or can't start */
  async start(order: FarmOrder): Promise<void> {
    await this.#warm;
    const started = this.#answer("started", START_MS);
    this.#tell({ kind: "go", order });
    await started;
  }

  async status(): Promise<FarmStatus> {
    const answer = this.#answer("status", ANSWER_MS);
    this.#tell({ kind: "status" });
    return ((await answer) as Extract<FromFarm, { kind: "status" }>).status;
  }

  async memory(): Promise<MemoryUse> {
    const answer = this.#answer("memory", ANSWER_MS);
    this.#tell({ kind: "memory" });
    return ((await answer) as Extract<FromFarm, { kind: "memory" }>).use;
  }

  /** SIGTERM as users know it: drains, reports, closes. */
  async stop(deadlineMs = 5000): Promise<void> {
    if (this.diedAt !== null) return;
    this.#tell({ kind: "stop", deadlineMs });
    await withDeadline(deadlineMs + 20_000, "the farm's end", async () => this.ended).catch(async () => this.kill());
  }

  async kill(): Promise<void> {
    if (this.diedAt === null) this.child.kill("SIGKILL");
    await this.ended;
  }

  freeze(): void {
    this.child.kill("SIGSTOP");
  }

  thaw(): void {
    this.child.kill("SIGCONT");
  }

  #tell(message: ToFarm): void {
    // A process that is dying takes nothing more; its end is told by `ended`.
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  #hear(message: FromFarm): void {
    for (const waiting of this.#waiting) {
      if (message.kind === "failed") waiting.reject(new Error(message.why));
      else if (waiting.kind === message.kind) waiting.resolve(message);
      else continue;
      this.#waiting.delete(waiting);
    }
  }

  async #answer(kind: FromFarm["kind"], withinMs: number): Promise<FromFarm> {
    const { promise, resolve, reject } = Promise.withResolvers<FromFarm>();
    const waiting = { kind, resolve, reject };
    if (this.diedAt !== null) reject(new Error(`the farm process has ended\n${this.said}`));
    else this.#waiting.add(waiting);
    try {
      return await withDeadline(withinMs, `"${kind}" of a farm process`, async () => promise);
    } finally {
      this.#waiting.delete(waiting);
    }
  }
}
