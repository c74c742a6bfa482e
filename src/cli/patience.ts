import { setTimeout as delay } from "node:timers/promises";
import { ApiRefusal, ApiUnanswered } from "../kit/api-client.ts";
import { UsageError } from "../kit/config.ts";

/** A manager that is updated or moved to another machine is back by then. */
const PATIENCE_MS = 5 * 60_000;
const AGAIN_MS = 2000;

/**
 * Asks again while no manager answers, or one that is busy, for some minutes, and says so once. For what changes nothing.
 * @throws UsageError the last one after that time; any other at once
 */
export async function whileAway<T>(ask: () => Promise<T>, say: (text: string) => void): Promise<T> {
  for (let since = 0; ;) {
    try {
      const answer = await ask();
      if (since > 0) say("The manager answers again.");
      return answer;
    } catch (error) {
      if (!isAway(error) || (since > 0 && performance.now() - since > PATIENCE_MS)) throw error;
      if (since === 0) say(`${error.message}\nIt is asked again for ${PATIENCE_MS / 60_000} minutes.`);
      since ||= performance.now();
    }
    await delay(AGAIN_MS);
  }
}

/** Busy, or something before it says that it is not there. */
const awayStatuses = [502, 503, 504];

function isAway(error: unknown): error is UsageError {
  const cause = error instanceof UsageError ? error.cause : null;
  if (cause instanceof ApiUnanswered) return cause.kind === "unreachable" || cause.kind === "late";
  return cause instanceof ApiRefusal && awayStatuses.includes(cause.status);
}
