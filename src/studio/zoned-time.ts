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
