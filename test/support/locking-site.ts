import { createHmac } from "node:crypto";

const DAY_MS = 24 * 3600_000;
const STEP_MS = 30_000;

/** What the site said; `locked` is what must never come. */
export type SiteWord = "in" | "wrong" | "locked";

/**
 * A site that locks an account at the third wrong try in a row within a day, for good, whether the password was wrong or the
 * code. It counts a code that was used before as wrong, and writes that down. Its clock is the true one.
 */
export class LockingSite {
  password = "right";
  locked = false;
  /** Codes that somebody sent a second time. */
  reused = 0;
  /** null: a password is all it asks for. */
  readonly #seed: Uint8Array | null;
  #wrong: number[] = [];
  readonly #used = new Set<number>();

  constructor(seed: Uint8Array | null) {
    this.#seed = seed;
  }

  submit(password: string, now: number): SiteWord {
    if (this.locked) return "locked";
    if (password !== this.password) return this.#count(now);
    // With a second factor to come a right password forgives nothing: codes could be guessed between.
    if (!this.#seed) this.#wrong = [];
    return "in";
  }

  submitCode(code: string, now: number): SiteWord {
    if (this.locked) return "locked";
    const step = [0, -1, 1].map((off) => Math.floor(now / STEP_MS) + off).find((one) => this.#codeOf(one) === code);
    if (step !== undefined && this.#used.has(step)) this.reused += 1;
    if (step === undefined || this.#used.has(step)) return this.#count(now);
    this.#used.add(step);
    this.#wrong = [];
    return "in";
  }

  #count(now: number): SiteWord {
    this.#wrong = [...this.#wrong.filter((at) => at > now - DAY_MS), now];
    this.locked = this.#wrong.length >= 3;
    return this.locked ? "locked" : "wrong";
  }

  #codeOf(step: number): string {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const hash = createHmac("sha1", this.#seed ?? "")
      .update(counter)
      .digest();
    const offset = (hash.at(-1) ?? 0) & 0xf;
    return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
  }
}
