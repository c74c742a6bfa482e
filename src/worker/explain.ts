import { Failure, type FailureCode } from "../contract/failures.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { challengeOn } from "../driver/challenges.ts";
import { heldUpBy } from "../driver/nearest.ts";
import { refusalOn, type Refusals } from "../driver/refusals.ts";
import type { Stage } from "./stage.ts";

/** A page whose navigation is never answered can't be read, and says so never. */
const READ_WITHIN_MS = 2000;

/** The session ended while a verb was at work: sign in again and repeat. Never leaves the worker. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";
}

/** Somebody stopped the task. Never leaves the worker. */
export class Canceled extends Error {
  override readonly name = "Canceled";
}

/** What an error's text says by itself, first match wins. */
const texts: readonly [RegExp, FailureCode][] = [
  [/net::ERR_(CONNECTION|NAME|ADDRESS|INTERNET|NETWORK|TIMED_OUT|PROXY|SSL|CERT|EMPTY_RESPONSE|SOCKET|HTTP2|TUNNEL)/, "site.unreachable"],
  [/\b(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|socket hang up)\b/, "site.unreachable"],
  [
    /(Target page, context or browser has been closed|Request context disposed|Browser (has been )?closed|Page crashed|Target crashed)/i,
    "farm.browser",
  ],
];

/** Which verb it was, and of which episode. */
export interface Subject {
  verb: string;
  episode?: { title: string; aboutText: string };
}

/**
 * Any error out of a driver's verb as a failure that a person understands.
 * @param troubleBefore the count of the stage's trouble when the verb began
 */
export async function explain(thrown: unknown, subject: Subject, stage: Stage, refusals: Refusals, troubleBefore: number): Promise<Error> {
  const { verb } = subject;
  if (thrown instanceof SignedOut || thrown instanceof Canceled) return thrown;
  const refused =
    thrown instanceof Failure
      ? thrown
      : stage.page.isClosed()
        ? null
        : await withDeadline(READ_WITHIN_MS, "reading the page", async () => refusalOn(stage.page, refusals)).catch(() => null);
  const troubled = stage.trouble.count > troubleBefore;
  // The page says in the same place that the content is refused and that the site did not answer.
  if (troubled && refused?.code.startsWith("content."))
    return new Failure("site.unreachable", `${stage.driver.site}, ${verb}: ${stage.trouble.last}; the page says "${refused.detail}"`, {
      cause: refused,
    });
  if (refused) return refused;
  const { episode } = subject;
  const challenge = await challengeShown(stage, episode ? [episode.title, episode.aboutText] : []);
  if (challenge) return challenge;

  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const detail = `${stage.driver.site}, ${verb}: ${firstLines(message)}`;
  const known = texts.find(([pattern]) => pattern.test(message));
  if (known) return new Failure(known[1], detail, { cause: thrown });
  const status = stage.lastDocument?.httpStatus ?? 0;
  if (status >= 500 || status === 429)
    return new Failure("site.unreachable", `${detail}; its last page came with status ${status}`, { cause: thrown });
  if (troubled) return new Failure("site.unreachable", `${detail}; before that ${stage.trouble.last}`, { cause: thrown });
  const { unanswered } = stage.trouble;
  if (unanswered) return new Failure("site.slow", `${detail}; ${unanswered}`, { cause: thrown });
  return new Failure(thrown instanceof DeadlineError ? "site.slow" : "site.changed", detail, { cause: thrown });
}

/** What the page asks a person for, where it does. @param own words of the task, which are no challenge */
export async function challengeShown({ page }: Stage, own: readonly string[] = []): Promise<Failure | null> {
  if (page.isClosed()) return null;
  return withDeadline(READ_WITHIN_MS, "reading the page", async () => challengeOn(page, own)).catch(() => null);
}

/** Playwright adds a call log of many lines; the first ones say what it waited for. */
function firstLines(message: string): string {
  const plain = message.replaceAll(/\u001b\[\d+m/g, "");
  const [first = "", ...rest] = plain.split("\n").map((line) => line.trim());
  const waited = rest.find((line) => line.startsWith("- waiting for"));
  if (!waited) return first;
  const popUp = heldUpBy(plain);
  return `${first.replace(/[.:]+$/, "")}, ${waited.slice(2)}${popUp ? `; the pop-up ${popUp} was not put away` : ""}`;
}
