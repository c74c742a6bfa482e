import type { Fate } from "./site.ts";
import type { World } from "./world.ts";

const ok = { publishes: true, httpStatus: 200, message: "" } as const;

/** What becomes of the next publish request. "refused": no connection, so nothing leaves. Handled or not, it is over within the request deadline. */
export function drawFate(world: World): Fate | "refused" {
  const { dice, scenario, mischief, siteDownUntil, timeline } = world;
  const { stepTimeoutMs, slowSite, weather } = scenario;
  if (siteDownUntil > timeline.now) return "refused";
  const lastMs = stepTimeoutMs - 1;
  const handledMs = slowSite ? dice.between(200, lastMs) : dice.skewed(20, 700);
  const answerMs = handledMs + dice.skewed(5, 300);
  const hit = (kind: keyof typeof weather): boolean => {
    if (!dice.chance(weather[kind] ?? 0)) return false;
    mischief.count(kind);
    return true;
  };
  if (hit("refused-connection")) return "refused";
  if (hit("publish-lost")) return { ...ok, handledMs: null, publishes: false, answerMs: null };
  if (hit("publish-slow")) return { ...ok, handledMs: dice.between(Math.round(lastMs / 3), lastMs), answerMs: null };
  // Queued there, and done when the answer is long out.
  if (hit("accepted-later"))
    return { ...ok, handledMs: dice.between(Math.round(lastMs / 3), lastMs), answerMs: dice.skewed(20, 700), httpStatus: 202 };
  if (hit("reply-lost")) return { ...ok, handledMs, answerMs: null };
  if (hit("site-errors")) {
    // Handled or not: such an answer does not tell.
    const httpStatus = dice.pick([500, 502, 503, 504, 408, 409, 429]);
    return {
      handledMs: dice.chance(0.5) ? handledMs : dice.between(0, lastMs),
      publishes: dice.chance(0.5),
      answerMs,
      httpStatus,
      message: "",
    };
  }
  if (hit("site-refusals")) {
    const httpStatus = dice.pick([302, 401, 400, 403, 404, 422]);
    return { handledMs, publishes: false, answerMs, httpStatus, message: "" };
  }
  return { ...ok, handledMs, answerMs };
}
