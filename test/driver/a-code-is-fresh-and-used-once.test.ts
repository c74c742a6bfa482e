import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import { createTotp, parseTotpSeed } from "../../src/driver/totp.ts";
import { passTime, virtualClock, type VirtualClock } from "../support/virtual-clock.ts";

const seed = "JBSWY3DPEHPK3PXP";
const seedBytes = Buffer.from([0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x21, 0xde, 0xad, 0xbe, 0xef]);
/** The beginning of a time step, also of one of 60 s; epoch, ms. */
const stepBegins = Date.parse("2026-11-21T08:00:00Z");

/** RFC 6238, written once more: what an authenticator shows. */
function shown(nowMs: number, { key = seedBytes, digits = 6, periodSeconds = 30, algorithm = "sha1" } = {}): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(nowMs / 1000 / periodSeconds)));
  const hash = createHmac(algorithm, key).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 0xf;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, "0");
}

/** A ledger of steps that is shared by all who ask, as the coordinator's is. */
function given(now = stepBegins) {
  const clock = virtualClock(now);
  const taken = new Set<string>();
  const takeStep = async (seedHash: string, step: number): Promise<boolean> => {
    const free = !taken.has(`${seedHash}:${step}`);
    taken.add(`${seedHash}:${step}`);
    return free;
  };
  return { clock, takeStep, totp: createTotp({ takeStep, clock }) };
}

/** Lets time pass until all asked codes are there. */
async function pass(clock: VirtualClock, ...asked: Promise<string>[]): Promise<string[]> {
  const all = Promise.all(asked);
  let settled = false;
  all.then(
    () => (settled = true),
    () => (settled = true),
  );
  await passTime(clock, "the codes are given", () => settled, { stepMs: 500, limitMs: 600_000 });
  return all;
}

test("a code is the one that the authenticator shows", async () => {
  const { clock, totp } = given();
  assert.deepEqual(await pass(clock, totp(seed)), [shown(stepBegins)]);
});

for (const [how, pasted] of [
  ["with spaces", "JBSW Y3DP EHPK 3PXP"],
  ["in lower case, with dashes", "jbsw-y3dp-ehpk-3pxp"],
  ["with padding and blanks around", " JBSWY3DPEHPK3PXP== \n"],
  ["as an otpauth:// address", "otpauth://totp/Studio:me@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Studio"],
] as const) {
  test(`a seed may be pasted ${how}`, async () => {
    const { clock, totp } = given();
    assert.deepEqual(await pass(clock, totp(pasted)), [shown(stepBegins)]);
  });
}

test("an otpauth:// address brings its own digits, period and algorithm", async () => {
  const { clock, totp } = given();
  const address = (settings: string): string => `otpauth://totp/Studio?secret=${seed}&${settings}`;
  const [eight] = await pass(clock, totp(address("digits=8&period=60&algorithm=SHA256")));
  assert.equal(eight, shown(stepBegins, { digits: 8, periodSeconds: 60, algorithm: "sha256" }));
  const again = given();
  const [strong] = await pass(again.clock, again.totp(address("digits=7&algorithm=SHA-512")));
  assert.equal(strong, shown(stepBegins, { digits: 7, algorithm: "sha512" }));
});

test("a seed of ten bytes is long enough, a shorter one is not", () => {
  assert.deepEqual(Buffer.from(parseTotpSeed(seed).bytes), seedBytes);
  assert.throws(() => parseTotpSeed(seed.slice(0, 12)), malformed(/at least 16/));
});

test("what is no seed is said, and never repeated", () => {
  const secret = "not-a-seed-0189!";
  assert.throws(
    () => parseTotpSeed(secret),
    (error) => malformed(/A-Z and 2-7/)(error) && !(error as Error).message.includes(secret),
  );
  assert.throws(() => parseTotpSeed(`otpauth://totp/x?secret=${seed}&digits=5`), malformed(/digits=5/));
  assert.throws(() => parseTotpSeed(`otpauth://totp/x?secret=${seed}&period=1`), malformed(/period=1/));
  assert.throws(() => parseTotpSeed(`otpauth://totp/x?secret=${seed}&algorithm=md5`), malformed(/md5/));
});

test("a step is never used twice, also when two ask at once and paste the seed differently", async () => {
  const { clock, totp, takeStep } = given();
  const other = createTotp({ takeStep, clock });
  const codes = await pass(clock, totp(seed), other(seed.toLowerCase()), totp(`otpauth://totp/x?secret=${seed}`));
  assert.deepEqual(codes.toSorted(), [0, 30_000, 60_000].map((later) => shown(stepBegins + later)).toSorted());
  assert.ok(clock.now() >= stepBegins + 60_000, "the third one waited for its step");
});

test("a code has at least 8 s to live", async () => {
  const enough = given(stepBegins + 22_000);
  assert.deepEqual(await pass(enough.clock, enough.totp(seed)), [shown(stepBegins)]);
  const late = given(stepBegins + 22_001);
  assert.deepEqual(await pass(late.clock, late.totp(seed)), [shown(stepBegins + 30_000)]);
});

test("a seed that somebody else uses up all the time ends as a refusal", async () => {
  const clock = virtualClock(stepBegins);
  const totp = createTotp({ takeStep: async () => false, clock });
  await assert.rejects(pass(clock, totp(seed)), (error) => error instanceof Failure && error.code === "totp.refused");
});

test("somebody who waits for a code can be called off", async () => {
  const { clock, takeStep } = given(stepBegins + 25_000);
  const stop = new AbortController();
  const asked = createTotp({ takeStep, clock, signal: stop.signal })(seed);
  stop.abort();
  await assert.rejects(asked, { name: "AbortError" });
});

function malformed(detail: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, "totp.malformed");
    assert.match(error.detail, detail);
    return true;
  };
}
