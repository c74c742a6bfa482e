import assert from "node:assert/strict";
import { test } from "node:test";
import { spin } from "../../src/kit/spintax.ts";
import { nextTimeOfDay } from "../../src/kit/zoned-time.ts";

test("the next HH:MM of a zone: in this minute, today, tomorrow, over a jump, twice in a night, on a day that was left out", () => {
  const next = (text: string, zone: string, now: string): string | undefined => nextTimeOfDay(text, zone, Date.parse(now))?.toISOString();
  assert.equal(next("10:00", "UTC", "2026-11-22T10:00:00.000Z"), "2026-11-22T10:00:00.000Z");
  assert.equal(next("10:00", "UTC", "2026-11-22T10:00:20.001Z"), "2026-11-22T10:00:20.001Z");
  assert.equal(next("10:00", "UTC", "2026-11-22T10:01:00.000Z"), "2026-11-23T10:00:00.000Z");
  assert.equal(next("00:00", "Asia/Ho_Chi_Minh", "2026-11-22T16:59:00Z"), "2026-11-22T17:00:00.000Z");
  assert.equal(next("23:59", "America/Los_Angeles", "2026-11-22T08:00:00Z"), "2026-11-23T07:59:00.000Z");
  assert.equal(next("02:30", "America/New_York", "2027-03-14T05:00:00Z"), "2027-03-14T07:30:00.000Z");
  assert.equal(next("02:30", "America/New_York", "2027-03-14T07:30:59Z"), "2027-03-14T07:30:59.000Z");
  assert.equal(next("01:30", "America/New_York", "2026-11-01T05:00:00Z"), "2026-11-01T05:30:00.000Z");
  assert.equal(next("01:30", "America/New_York", "2026-11-01T05:31:00Z"), "2026-11-02T06:30:00.000Z");
  assert.equal(next("01:30", "America/New_York", "2026-11-01T06:30:20Z"), "2026-11-01T06:30:20.000Z");
  assert.equal(next("02:15", "Australia/Lord_Howe", "2026-10-03T12:00:00Z"), "2026-10-03T15:45:00.000Z");
  assert.equal(next("12:00", "Pacific/Apia", "2011-12-29T23:00:00Z"), "2011-12-30T22:00:00.000Z");
  for (const wrong of ["24:00", "9:00", "10:60", "10", "", "10:00 "]) assert.equal(nextTimeOfDay(wrong, "UTC", 0), null, wrong);
});

test("every HH:MM of every hour of a year lies ahead, within a day and an hour, and shows that time", () => {
  for (const zone of ["Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu"]) {
    const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
    for (let now = Date.parse("2027-01-01T00:17:00Z"), step = 0; step < 365; step += 1, now += 23 * 3600_000 + 61_000) {
      const text = `${String(step % 24).padStart(2, "0")}:${String((step * 7) % 60).padStart(2, "0")}`;
      const at = nextTimeOfDay(text, zone, now)?.getTime() ?? 0;
      assert.ok(at >= now && at - now <= 25 * 3600_000, `${zone} ${text}`);
      const skipped = zone === "Europe/Berlin" && text.startsWith("02:");
      if (!skipped) assert.equal(format.format(at), text, zone);
    }
  }
});

test("choices become one of what they can say; braces without a bar are text", () => {
  const first = (text: string): string => spin(text, () => 0);
  const last = (text: string): string => spin(text, () => 0.999);
  assert.deepEqual([first("{Good|Fine} day"), last("{Good|Fine} day")], ["Good day", "Fine day"]);
  assert.deepEqual([first("{a|{b|c}}!"), last("{a|{b|c}}!")], ["a!", "c!"]);
  assert.equal(last("a {b} {c|{d}} {"), "a {b} {d} {");
  assert.equal(first("{|x}y"), "y");
  assert.equal(first("}{"), "}{");
  const started = performance.now();
  spin("{".repeat(50_000), () => 0);
  spin("{" + "|".repeat(50_000), () => 0);
  spin("{a|b}".repeat(20_000), () => 0);
  assert.ok(performance.now() - started < 5000, "long texts cost little");
});
