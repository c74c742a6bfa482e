const PATTERN = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?$/;

/** How far the zone's clocks are ahead of UTC at that moment, ms. */
function offsetMs(zone: string, at: number): number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return (
    Date.UTC(part["year"] ?? 0, (part["month"] ?? 1) - 1, part["day"], part["hour"], part["minute"], part["second"]) -
    Math.floor(at / 1000) * 1000
  );
}

/**
 * A form's "2026-11-22T10:00" as people in the zone mean it. Where clocks jump over it, the time after the jump.
 * @returns null when it is no time
 */
export function zonedTime(text: string, zone: string): Date | null {
  const match = PATTERN.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  const wall = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  const check = new Date(wall);
  if (check.getUTCDate() !== day || check.getUTCHours() !== hour) return null;
  // The offset belongs to the moment, which depends on the offset: a second round settles all but the jump itself.
  const guess = wall - offsetMs(zone, wall);
  return new Date(wall - offsetMs(zone, guess));
}

const HOURS_MINUTES = /^([01]\d|2[0-3]):([0-5]\d)$/;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3600_000;

/**
 * The next moment, from `now` on, at which clocks of the zone show "HH:MM": `now` itself in the minute that is called so. Of a time
 * that comes twice in a night, the first counts; where clocks jump over it, it is the time after the jump.
 * @returns null when it is no time of day
 */
export function nextTimeOfDay(text: string, zone: string, now: number): Date | null {
  const match = HOURS_MINUTES.exec(text);
  if (!match) return null;
  const timeMs = (Number(match[1]) * 60 + Number(match[2])) * 60_000;
  const wallNow = now + offsetMs(zone, now);
  const today = Math.floor(wallNow / DAY_MS) * DAY_MS;
  const inMinute = wallNow - Math.floor(wallNow / MINUTE_MS) * MINUTE_MS;
  if (wallNow - inMinute === today + timeMs) return new Date(now);
  // A day that the zone has left out altogether has no such time: then it is the one after.
  const moments = [-1, 0, 1, 2].map((day) => momentOf(today + day * DAY_MS + timeMs, zone));
  const next = moments.filter((at) => at >= now - inMinute).sort((a, b) => a - b)[0];
  return next === undefined ? null : new Date(Math.max(next, now));
}

/** When clocks of the zone first show that, or right after the jump that left it out. @param wall as if it were UTC */
function momentOf(wall: number, zone: string): number {
  const offsets = [...new Set([offsetMs(zone, wall - DAY_MS), offsetMs(zone, wall + DAY_MS)])];
  const shown = offsets.map((offset) => wall - offset).filter((at) => at + offsetMs(zone, at) === wall);
  return shown.length > 0 ? Math.min(...shown) : wall - Math.min(...offsets);
}
