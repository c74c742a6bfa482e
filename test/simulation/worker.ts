import type { APIRequestContext } from "playwright";
import { Failure, toFailureData } from "../../src/contract/failures.ts";
import type { Assignment, AssignmentResult, CoordinatorCalls, EpisodeRef, NextEpisode, SiteCopy } from "../../src/contract/task.ts";
import type { RunningAssignment, WorkerPool } from "../../src/coordinator/ports.ts";
import { Gate } from "../../src/worker/gate.ts";
import { judge } from "../../src/worker/verdict.ts";
import { never, type Machine } from "./machine.ts";
import type { Point } from "./mischief.ts";
import { drawFate } from "./site-weather.ts";
import type { World } from "./world.ts";

type Response = Awaited<ReturnType<APIRequestContext["fetch"]>>;
type Episode = Extract<NextEpisode, { kind: "episode" }>;

class Died extends Error {}
class Canceled extends Error {}

const SIGN_IN_PAGE = /\/sign-in$/;
/** The context is closed so long after a request to stop. */
const CLOSE_MS = 5000;

/**
 * A worker thread without a browser: it holds the conversation of src/worker/run.ts and publish.ts, with the real gate and the
 * real verdict, against the simulated site.
 */
export function simulatedPool(world: World, machine: Machine): WorkerPool {
  return {
    describe: async () => ({ cards: [world.card], problems: [] }),
    run: (assignment, calls) => start(world, machine, assignment, calls),
    close: async () => undefined,
  };
}

function start(world: World, machine: Machine, assignment: Assignment, calls: CoordinatorCalls): RunningAssignment {
  const thread = new Thread(world, machine, assignment, calls);
  world.checker.sessionBegins(machine, assignment.accountKey, assignment.taskId);
  const result = Promise.race([thread.toItsEnd(), thread.ended]).finally(() =>
    world.checker.sessionEnds(machine, assignment.accountKey, assignment.taskId),
  );
  result.catch(() => undefined);
  return { result, cancel: (reason) => thread.cancel(reason), kill: async () => thread.kill() };
}

class Thread {
  readonly #world: World;
  readonly #machine: Machine;
  readonly #assignment: Assignment;
  readonly #calls: CoordinatorCalls;
  readonly #stop = new AbortController();
  readonly #killed = Promise.withResolvers<never>();
  readonly #closed = Promise.withResolvers<never>();
  #dead = false;

  constructor(world: World, machine: Machine, assignment: Assignment, calls: CoordinatorCalls) {
    this.#world = world;
    this.#machine = machine;
    this.#assignment = assignment;
    this.#calls = calls;
    this.#killed.promise.catch(() => undefined);
    this.#closed.promise.catch(() => undefined);
  }

  get ended(): Promise<never> {
    return this.#killed.promise;
  }

  cancel(reason: string): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(new Canceled(reason));
    this.#world.timeline.after(CLOSE_MS, () => this.#machine.deliver(() => this.#closed.reject(new Canceled("the context was closed"))));
  }

  /** The thread ends with all that runs in it; what it has sent is on its way. */
  kill(): void {
    this.#dead = true;
    this.#killed.reject(new Died("the thread has ended"));
  }

  async toItsEnd(): Promise<AssignmentResult> {
    try {
      await this.#at("worker:begin");
      await this.#takes(50, 1200);
      const end = await this.#episodes();
      await this.#calls.saveSession({ cookies: [{ name: "sid" }], origins: [] }, "sid=1", { kind: "begun" });
      return end;
    } catch (error) {
      if (error instanceof Died) throw error;
      if (error instanceof Canceled || this.#stop.signal.aborted) return { outcome: "stopped" };
      return { outcome: "failed", failure: toFailureData(error) };
    }
  }

  async #episodes(): Promise<AssignmentResult> {
    for (;;) {
      if (this.#stop.signal.aborted) return { outcome: "stopped" };
      await this.#at("worker:next");
      const next = await this.#ask(this.#calls.next());
      switch (next.kind) {
        case "stop":
          return { outcome: "stopped" };
        case "finish":
          await this.#at("worker:feed");
          await this.#visit();
          await this.#ask(this.#calls.feed("https://site.example/feed.xml"));
          return { outcome: "done" };
        case "discard":
          await this.#visit();
          this.#world.site.discard(next.draftId);
          this.#say(next.episode.id, `discards the draft ${next.draftId}`);
          await this.#ask(this.#calls.discarded(next.episode.id, next.draftId));
          break;
        case "episode":
          await this.#lookAndPost(next);
      }
    }
  }

  async #lookAndPost(next: Episode): Promise<void> {
    const { site, card, scenario } = this.#world;
    const { episode, fence, purpose } = next;
    const account = this.#assignment.accountKey;
    const ref: EpisodeRef = { episodeId: episode.id, fence };
    await this.#at("worker:look");
    await this.#visit();
    const copies = scenario.marked ? site.find(account, episode.marker) : null;
    const entries = card.tier === "list" ? site.list(account) : [];
    this.#say(episode.id, `f${fence} ${purpose}: sees ${(copies ?? entries).map(({ id }) => id).join(", ") || "nothing"}`);
    await this.#takes(5, 300);
    await this.#at("worker:looked");
    const word = await this.#ask(this.#calls.looked(ref, { copies, entries }));
    if (!word.go || purpose !== "post") return;

    await this.#at("worker:draft");
    await this.#visit();
    const draftId = card.tier === "drafts" ? site.draft(account, episode.title, next.draftId) : null;
    await this.#takes(50, 1500);
    await this.#at("worker:drafted");
    if (draftId !== null) await this.#ask(this.#calls.drafted(ref, draftId));
    await this.#publish(next, draftId);
  }

  async #publish({ episode, fence }: Episode, draftId: string | null): Promise<void> {
    const calls = this.#calls;
    const ref: EpisodeRef = { episodeId: episode.id, fence };
    const gate = new Gate({
      publishRequest: { method: "POST", url: /publish$/ },
      ask: async () => {
        await this.#at("worker:ask");
        return this.#ask(calls.gate(ref));
      },
      signal: this.#stop.signal,
      timeoutMs: this.#assignment.stepTimeoutMs,
      monotonic: () => this.#machine.clock.monotonic(),
    });
    await this.#at("worker:arm");
    const { armed, why } = await this.#ask(calls.arm(ref));
    this.#say(episode.id, `f${fence} ${armed ? "armed" : `not armed: ${why}`}`);
    if (!armed) return;
    await this.#at("worker:armed");
    let copy: SiteCopy | null = null;
    let thrown: Error | null = null;
    try {
      await this.#takes(5, 400);
      const answer = await gate.sendByRequest(async () => this.#send({ episode, fence, draftId }), "https://site.example/publish");
      if (answer.status() >= 400) throw new Error(`the publish request was answered with ${answer.status()}`);
      await this.#takes(5, 300, false);
      copy = this.#world.site.shown(this.#request({ episode, fence, draftId }));
    } catch (error) {
      if (error instanceof Died) throw error;
      thrown = error as Error;
    }
    const report = await gate.close();
    const verdict = judge({ ...report, leaked: 0 }, copy, thrown?.message ?? "", SIGN_IN_PAGE);
    await this.#at("worker:sent");
    this.#say(episode.id, `f${fence} says ${verdict.outcome.kind}${"why" in verdict.outcome ? `: ${verdict.outcome.why}` : ""}`);
    await this.#ask(calls.sent(ref, verdict.outcome));
    if (verdict.refusal) await this.#ask(calls.episodeFailed(ref, { code: "content.refused", detail: verdict.refusal }));
    else if (verdict.signedOut) await this.#visit();
    else if (this.#stop.signal.aborted) throw new Canceled("the task was canceled");
    else if (report.error) throw new Failure("site.unreachable", report.error);
    else if (thrown && !report.closed) throw new Failure("site.changed", thrown.message);
  }

  /** From the gate's word to the socket's write the thread is held for at most the window that the settle time allows for. */
  async #send(what: { episode: Episode["episode"]; fence: number; draftId: string | null }): Promise<Response> {
    const { world } = { world: this.#world };
    const { timeline, dice, scenario, mischief } = world;
    mischief.pass(this.#machine, "worker:permitted");
    await new Promise<void>((resolve) => timeline.after(dice.skewed(0, scenario.windowMs), resolve));
    if (this.#machine.dead || this.#dead) return never();
    const request = this.#request(what);
    const fate = drawFate(world);
    if (fate === "refused") throw new Error("connect ECONNREFUSED 198.51.100.7:443");
    world.checker.requestLeaves(this.#machine, request);
    this.#say(what.episode.id, `f${what.fence} sends`);
    world.site.receive(request, fate);
    await this.#at("worker:written");
    const limitMs = this.#assignment.stepTimeoutMs;
    await this.#wait(Math.min(fate.answerMs ?? limitMs, limitMs));
    if (fate.answerMs === null || fate.answerMs >= limitMs) throw new Error(`Timeout ${limitMs}ms exceeded`);
    await this.#at("worker:answered");
    return responseOf(fate);
  }

  #request({ episode, fence, draftId }: { episode: Episode["episode"]; fence: number; draftId: string | null }) {
    const account = this.#assignment.accountKey;
    return { account, episode: episode.id, marker: episode.marker, title: episode.title, fence, farm: this.#machine.name, draftId };
  }

  /** A page of the site is asked for. @throws Failure site.unreachable */
  async #visit(): Promise<void> {
    const { siteDownUntil, timeline } = this.#world;
    await this.#takes(20, 900);
    if (siteDownUntil > timeline.now) throw new Failure("site.unreachable", "connect ECONNREFUSED 198.51.100.7:443");
  }

  /** Work that takes its time. A cancel may cut it short. */
  async #takes(fromMs: number, toMs: number, mayCancel = true): Promise<void> {
    if (mayCancel && this.#stop.signal.aborted) throw new Canceled("the task was canceled");
    const done = this.#wait(this.#world.dice.skewed(fromMs, toMs));
    await (mayCancel ? Promise.race([done, this.#closed.promise]) : done);
  }

  /** A question to the coordinator, over the border between the threads. */
  async #ask<T>(answer: Promise<T>): Promise<T> {
    const heard = await answer;
    await this.#wait(this.#world.dice.chance(0.2) ? this.#world.dice.skewed(0, 80) : 0);
    return heard;
  }

  async #wait(ms: number): Promise<void> {
    await this.#machine.wait(ms);
    if (this.#dead) return never();
  }

  /** A point at which something may strike this farm, or this thread. */
  async #at(point: Point): Promise<void> {
    if (this.#dead) return never();
    const strike = this.#world.mischief.pass(this.#machine, point);
    if (this.#machine.dead) return never();
    if (strike?.error instanceof ThreadDeath) {
      this.kill();
      return never();
    }
    await this.#wait(strike?.stallMs ?? 0);
  }

  #say(episode: string, what: string): void {
    this.#world.trace.say(this.#machine.name, `${episode} ${what}`);
  }
}

/** Struck by this at a point of its own, a worker thread is gone. */
export class ThreadDeath extends Error {}

function responseOf({ httpStatus, message }: { httpStatus: number; message: string }): Response {
  const headers = httpStatus === 302 ? { location: "https://site.example/sign-in" } : {};
  return { status: () => httpStatus, headers: () => headers, text: async () => message } as unknown as Response;
}
