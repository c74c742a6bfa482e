import { createHash } from "node:crypto";
import { createGuardrails, generateSync, ScureBase32Plugin } from "otplib";
import { Failure } from "../contract/failures.ts";
import { systemClock, type Clock } from "../kit/clock.ts";

/** Real sites hand out seeds of 10 bytes; the library's own floor is 16. */
const guardrails = createGuardrails({ MIN_SECRET_BYTES: 10 });
const base32 = new ScureBase32Plugin();
/** A code needs this long to be typed, sent and judged before its step ends. */
const MIN_LEFT_MS = 8000;
/** Steps tried before we give up: the seed is in heavy use somewhere else. */
const MAX_STEPS = 4;

export interface TotpSeed {
  bytes: Uint8Array;
  digits: 6 | 7 | 8;
  periodSeconds: number;
  algorithm: "sha1" | "sha256" | "sha512";
}

/**
 * Reads a seed as people paste it: Base32 with spaces, dashes or in lower case, or an otpauth:// address.
 * @throws Failure totp.malformed, without the seed in it
 */
export function parseTotpSeed(text: string): TotpSeed {
  const uri = /^otpauth:\/\/totp\//i.test(text.trim()) ? new URL(text.trim()) : null;
  const secret = (uri ? (uri.searchParams.get("secret") ?? "") : text).replace(/[\s-]/g, "").replace(/=+$/, "").toUpperCase();
  const digits = Number(uri?.searchParams.get("digits") ?? 6);
  const periodSeconds = Number(uri?.searchParams.get("period") ?? 30);
  const algorithm = (uri?.searchParams.get("algorithm") ?? "sha1").toLowerCase().replace("-", "");
  if (!/^[A-Z2-7]{16,}$/.test(secret)) throw new Failure("totp.malformed", "at least 16 characters A-Z and 2-7 are needed");
  if (digits !== 6 && digits !== 7 && digits !== 8) throw new Failure("totp.malformed", `digits=${digits} is not 6, 7 or 8`);
  if (!Number.isInteger(periodSeconds) || periodSeconds < 10 || periodSeconds > 300)
    throw new Failure("totp.malformed", `period=${periodSeconds} is not 10 to 300 s`);
  if (algorithm !== "sha1" && algorithm !== "sha256" && algorithm !== "sha512")
    throw new Failure("totp.malformed", `the algorithm ${algorithm} is not SHA1, SHA256 or SHA512`);
  return { bytes: decode(secret), digits, periodSeconds, algorithm };
}

function decode(secret: string): Uint8Array {
  try {
    return base32.decode(secret);
  } catch (error) {
    throw new Failure("totp.malformed", "it is not Base32", { cause: error });
  }
}

/** @param takeStep takes a time step for a seed (by its hash); false when it was used before, anywhere */
export interface TotpOptions {
  takeStep(seedHash: string, step: number): Promise<boolean>;
  clock?: Clock;
  signal?: AbortSignal;
  /** Told before each wait, so that somebody who watches knows what for. */
  onWait?: (waitMs: number) => void;
}

/**
 * Codes of which no two share a time step, each with at least 8 s left to live.
 * @throws Failure totp.malformed
 */
export function createTotp({ takeStep, clock = systemClock, signal, onWait }: TotpOptions): (secret: string) => Promise<string> {
  return async (secret) => {
    const seed = parseTotpSeed(secret);
    const seedHash = createHash("sha256").update(seed.bytes).digest("hex");
    const periodMs = seed.periodSeconds * 1000;
    for (let tries = 0; tries < MAX_STEPS;) {
      signal?.throwIfAborted();
      const now = clock.now();
      const leftMs = periodMs - (now % periodMs);
      if (leftMs < MIN_LEFT_MS) {
        onWait?.(leftMs);
        await clock.sleep(leftMs, signal);
        continue;
      }
      const taken = await takeStep(seedHash, Math.floor(now / periodMs));
      // Where the answer was long in coming, the code is old: its step stays used.
      const restMs = leftMs - (clock.now() - now);
      if (taken && restMs >= MIN_LEFT_MS / 2) return code(seed, now);
      tries += 1;
      if (restMs <= 0) continue;
      onWait?.(restMs);
      await clock.sleep(restMs, signal);
    }
    throw new Failure("totp.refused", `the last ${MAX_STEPS} codes of this seed were all used already, elsewhere`);
  };
}

function code({ bytes, digits, periodSeconds, algorithm }: TotpSeed, nowMs: number): string {
  return generateSync({ secret: bytes, digits, period: periodSeconds, algorithm, epoch: Math.floor(nowMs / 1000), guardrails });
}
