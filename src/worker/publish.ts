import { setTimeout as delay } from "node:timers/promises";
import type { Request } from "playwright";
import { Failure } from "../contract/failures.ts";
import type { Assignment, CoordinatorCalls, EpisodeRef, SiteCopy } from "../contract/task.ts";
import type { Copy, Driver } from "../driver/contract.ts";
import { readCopy } from "../driver/context.ts";
import type { Evidence } from "./evidence.ts";
import { Canceled, SignedOut } from "./explain.ts";
import { Gate, harmlessMethods, type GateReport } from "./gate.ts";
import { perform } from "./perform.ts";
import { verbDeadlineMs } from "./session.ts";
import type { Stage } from "./stage.ts";
import { judge } from "./verdict.ts";

/** After a bad answer the page gets this long to say in its own words what is wrong. */
const LAST_WORDS_MS = 1000;

export interface PublishParts {
  assignment: Assignment;
  calls: CoordinatorCalls;
  stage: Stage;
  driver: Driver;
  signal: AbortSignal;
  ref: EpisodeRef;
  episode: { title: string; aboutText: string };
  /** Runs the driver's publish; `gate` is open to `request` meanwhile. */
  work(gate: Gate): Promise<Copy | void>;
  /** Keeps evidence of a failure. */
  witness(error: unknown): Promise<Error>;
  evidence: Evidence;
}

/**
 * The irreversible step: gate, arm, publish, and the verdict to the coordinator, whatever happens in between.
 * @throws Failure when the task can't go on; SignedOut when it can after signing in; Canceled
 */
export async function publishOnce(parts: PublishParts): Promise<void> {
  const { assignment, calls, stage, driver, signal, ref } = parts;
  const gate = new Gate({
    publishRequest: driver.publishRequest,
    ask: async () => calls.gate(ref),
    signal,
    timeoutMs: assignment.stepTimeoutMs,
  });
  const uninstall = await gate.installOn(stage.context);
  const leaks = watchLeaks(stage);
  let clicked = false;
  try {
    const before = await parts.evidence.glance();
    const armed = await calls.arm(ref);
    if (!armed.armed) {
      calls.step("not published", armed.why);
      return;
    }
    clicked = true;
    let copy: SiteCopy | null = null;
    let thrown: unknown = null;
    try {
      const mayCancel = (): boolean => !gate.passed;
      const unless = gate.failed.catch(async (error: unknown) => {
        if (gate.passed) await delay(LAST_WORDS_MS);
        throw error;
      });
      const published = await perform(
        stage,
        { verb: "publish", signal, deadlineMs: verbDeadlineMs(assignment), needsSession: false, episode: parts.episode, mayCancel, unless },
        async () => parts.work(gate),
      );
      if (published) copy = readCopy(published, assignment.origin);
    } catch (error) {
      thrown = error;
    }
    const report = await gate.close();
    const explained = thrown === null || copy ? null : aboutThisSend(await parts.witness(thrown), report, driver);
    const shown = isSettled(report, copy) ? [] : await parts.evidence.keepAfterwards(explained);
    // A fresh page counts its sockets anew.
    const leakedBefore = leaks.seen();
    // Scripts of a page that went wrong could still act; they end with it, before the gate goes.
    if (explained || report.refused > 0) {
      await stage.freshPage();
      clicked = false;
    }
    const verdict = judge(
      { ...report, leaked: report.leaked + Math.max(leakedBefore, leaks.seen()) },
      copy,
      explained?.message ?? "",
      driver.signInPage,
    );
    const { outcome } = verdict;
    await calls.sent(
      ref,
      outcome.kind === "unknown" ? { ...outcome, evidence: [...(await parts.evidence.keepGlance(before)), ...shown] } : outcome,
    );
    if (report.refused > 0) calls.step("published once", `${report.refused} more publish requests of the page were stopped`);

    // A page that asks for a person says nothing about the content, whatever its status.
    const refused = explained instanceof Failure && (explained.code === "account.challenged" || explained.code in driver.refusals);
    if (refused) throw explained;
    if (verdict.refusal) await calls.episodeFailed(ref, { code: "content.refused", detail: verdict.refusal });
    else if (verdict.signedOut) throw new SignedOut(verdict.outcome.kind);
    else if (signal.aborted) throw new Canceled(String(signal.reason));
    else if (report.error) throw unreachable(driver, report.error.split("\n", 1)[0] ?? "", shown);
    else if (explained && !report.closed) throw explained;
  } finally {
    leaks.stop();
    // The next episode may be long in coming, and a page that stays could send its request again: the gate, shut by now, goes with it.
    if (clicked) stage.page.once("domcontentloaded", () => void uninstall());
    else await uninstall();
  }
}

/** The gate was shut, or the site has answered well and a copy was seen: no picture is needed. */
function isSettled({ answer, closed }: GateReport, copy: SiteCopy | null): boolean {
  return closed !== "" || (copy !== null && answer !== null && answer.httpStatus < 400);
}

/**
 * What a page says of an episode's content counts where the site has answered. A gate that was shut and a request without an
 * answer say nothing about it, however the page puts that.
 */
function aboutThisSend(explained: Error, { seen, closed, answer }: GateReport, driver: Driver): Error {
  if (!(explained instanceof Failure) || !explained.code.startsWith("content.")) return explained;
  if (seen === 0 || (answer && answer.httpStatus < 500)) return explained;
  if (closed) return new Error(`the gate was shut: ${closed}`, { cause: explained });
  return unreachable(driver, `the page says "${explained.detail}", the site nothing of use`, explained.evidence);
}

function unreachable({ site }: Driver, why: string, evidence: string[]): Failure {
  const failure = new Failure("site.unreachable", `${site}, publish: ${why}`);
  failure.evidence = evidence;
  return failure;
}

/** Requests that could have changed something on the site without passing the gate: proof that a failed click did nothing, when there are none. */
function watchLeaks(stage: Stage): { seen(): number; stop(): void } {
  let requests = 0;
  const { context, driver } = stage;
  const socketsBefore = stage.sockets;
  const count = (request: Request): void => {
    if (!harmlessMethods.has(request.method()) || driver.publishRequest.method === "GET") requests += 1;
  };
  context.on("request", count);
  return { seen: () => requests + socketsBefore + stage.sockets, stop: () => context.off("request", count) };
}
