import type { Frame, Response } from "playwright";
import { Failure } from "../contract/failures.ts";
import { withDeadline } from "../kit/deadline.ts";
import { refusalsFor, untilRefused } from "../driver/refusals.ts";
import { Canceled, explain, SignedOut } from "./explain.ts";
import type { Stage } from "./stage.ts";

export interface Performance {
  verb: string;
  signal: AbortSignal;
  /** The whole verb, ms. */
  deadlineMs: number;
  episode?: { title: string; aboutText: string };
  /** Coming to the sign-in page means that the session has ended. */
  needsSession: boolean;
  /** False while the verb must not be cut short. */
  mayCancel?: () => boolean;
  /** Rejects when there is another reason to stop waiting. */
  unless?: Promise<never>;
}

/**
 * Runs one verb of a driver. It ends when the verb ends, or earlier when the page says a refusal, when the session is over
 * or when the task is canceled: drivers wait for good news only.
 */
export async function perform<T>(stage: Stage, performance: Performance, work: () => Promise<T>): Promise<T> {
  const { verb, deadlineMs, episode } = performance;
  const refusals = refusalsFor(stage.driver, verb, episode);
  const troubleBefore = stage.trouble.count;
  const watching = new AbortController();
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
  stopped.catch(() => undefined);
  performance.unless?.catch(stop);
  watchCancel(performance, stop, watching.signal);
  if (performance.needsSession) watchSession(stage, stop, watching.signal);
  void untilRefused(stage.page, refusals, watching.signal).then((failure) => failure && stop(failure));
  try {
    performance.signal.throwIfAborted();
    const running = work();
    // A verb that lost the race still ends some time; nobody waits for its error then.
    running.catch(() => undefined);
    const result = await withDeadline(deadlineMs, `${verb} on ${stage.driver.site}`, async () => Promise.race([running, stopped]));
    if (performance.needsSession && stage.driver.signInPage.test(stage.page.url())) throw new SignedOut(stage.page.url());
    return result;
  } catch (error) {
    if (performance.signal.aborted && error === performance.signal.reason) throw new Canceled(String(error));
    const explained = await explain(error, performance, stage, refusals, troubleBefore);
    if (explained instanceof Failure && explained.code === "account.challenged") stage.noteChallenge();
    throw explained;
  } finally {
    watching.abort();
  }
}

function watchCancel({ signal, mayCancel }: Performance, stop: (reason: Error) => void, until: AbortSignal): void {
  const canceled = (): void => {
    if (mayCancel?.() ?? true) stop(new Canceled(String(signal.reason)));
  };
  signal.addEventListener("abort", canceled, { once: true });
  until.addEventListener("abort", () => signal.removeEventListener("abort", canceled), { once: true });
}

function watchSession({ page, driver }: Stage, stop: (reason: Error) => void, until: AbortSignal): void {
  const navigated = (frame: Frame): void => {
    if (frame === page.mainFrame() && driver.signInPage.test(frame.url())) stop(new SignedOut(frame.url()));
  };
  const answered = (response: Response): void => {
    const fromScript = ["xhr", "fetch"].includes(response.request().resourceType());
    if (fromScript && response.status() === 401 && sameOrigin(response.url(), page.url())) stop(new SignedOut(response.url()));
  };
  page.on("framenavigated", navigated);
  page.on("response", answered);
  until.addEventListener("abort", () => {
    page.off("framenavigated", navigated);
    page.off("response", answered);
  });
}

function sameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}
