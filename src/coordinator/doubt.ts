import type { FailureData } from "../contract/failures.ts";
import type { DriverCard, SiteCopy } from "../contract/task.ts";

/** Unknown outcomes: what a look at the site says of them. Decisions only. */
const MAX_ATTEMPTS = 2;

/** What an empty look says of an episode in doubt. null: it is surely not there and may be posted again. */
export function judgeAbsence(
  episode: { attempts: number; baseline: string[] | null; draft_id: string | null },
  tier: DriverCard["tier"],
  seen: readonly string[],
  knownIds: ReadonlySet<string>,
): FailureData | null {
  const doubt = (detail: string): FailureData => ({ code: "episode.in_doubt", detail });
  if (tier === "blind") return doubt("the site can't be asked whether the episode is there");
  if (episode.attempts >= MAX_ATTEMPTS)
    return doubt(`the publish request was sent ${episode.attempts} times with an unknown outcome, and the site does not show the episode`);
  const strangers =
    tier === "list" && episode.baseline
      ? seen.filter((id) => !episode.baseline?.includes(id) && !knownIds.has(id) && id !== episode.draft_id)
      : [];
  return strangers.length > 0 ? doubt(`the site shows new entries that may be this episode: ${strangers.join(", ")}`) : null;
}

/** Two copies of one episode: the alarm that should never ring. */
export function duplicateAlarm(copies: readonly SiteCopy[]): FailureData | null {
  return copies.length < 2 ? null : { code: "episode.duplicate_on_site", detail: copies.map((copy) => copy.link || copy.id).join(" and ") };
}
