import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import { migrations } from "../../src/coordinator/migrations.ts";
import { takeTotpStep } from "../../src/coordinator/once-only.ts";
import { judgeSignIn, judgeSubmit, takeSubmit, type SignInAnswer, type Submit } from "../../src/coordinator/sign-in-guard.ts";
import type { FarmTables } from "../../src/coordinator/tables.ts";
import type { SubmitVerdict } from "../../src/contract/task.ts";
import { createTotp } from "../../src/driver/totp.ts";
import { LockingSite } from "../support/locking-site.ts";
import { eachBackend } from "../support/store.ts";

/**
 * Lives of an account at a site that locks it at the third wrong try: passwords changed here and there, codes refused, clocks
 * that are wrong, farms that die at any point, and two that believe to be alone. The guard and the authenticator codes are the
 * real ones; in the large run their rows are kept in memory, in the small one in the real databases.
 */
const HISTORIES = Number(process.env["HISTORIES"] ?? 10_000);
const HISTORIES_ON_STORE = Number(process.env["HISTORIES_ON_STORE"] ?? 60);
const MINUTE_MS = 60_000;
const start = Date.parse("2026-11-21T08:00:00Z");
const seed = "JBSWY3DPEHPK3PXP";
const seedBytes = Buffer.from([0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x21, 0xde, 0xad, 0xbe, 0xef]);

/** What the fleet keeps on disk. */
interface Book {
  take(version: string, now: number): Promise<SignInAnswer>;
  judge(verdict: SubmitVerdict): Promise<void>;
  takeStep(seedHash: string, step: number): Promise<boolean>;
}

function inMemory(): Book {
  const history: Submit[] = [];
  const steps = new Set<string>();
  return {
    async take(version, at) {
      const answer = judgeSignIn(
        history,
        history.filter(({ verdict }) => verdict === "refused").map((one) => ({ accountKey: "a", at: one.at })),
        version,
        at,
      );
      if (answer.allowed) history.push({ at, version, verdict: null });
      return answer;
    },
    async judge(verdict) {
      const last = history.at(-1);
      if (last) last.verdict ??= verdict;
    },
    async takeStep(seedHash, step) {
      const free = !steps.has(`${seedHash}:${step}`);
      steps.add(`${seedHash}:${step}`);
      return free;
    },
  };
}

/** Small, seeded, and the same on every machine. */
function dice(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Died extends Error {}

interface Life {
  submits: number;
  accepted: number;
  refused: number;
  crashes: number;
  denied: number;
}

/** One life. @returns what happened in it */
async function live(number: number, book: Book): Promise<Life> {
  const random = dice(number);
  const chance = (share: number): boolean => random() < share;
  const secondFactor = chance(0.6);
  const site = new LockingSite(secondFactor ? seedBytes : null);
  const life: Life = { submits: 0, accepted: 0, refused: 0, crashes: 0, denied: 0 };
  const crashShare = [0, 0.05, 0.3, 0.7][Math.floor(random() * 4)] ?? 0;
  let [now, ours] = [start, chance(0.8) ? "right" : "typo"];
  let skewMs = chance(0.15) ? Math.round((random() - 0.5) * 240_000) : 0;
  const mayDie = (): void => {
    if (!chance(crashShare)) return;
    life.crashes += 1;
    throw new Died();
  };
  const clock = {
    now: () => now + skewMs,
    monotonic: () => now,
    sleep: async (ms: number) => void (now += ms),
  };
  const totp = createTotp({ takeStep: async (seedHash, step) => book.takeStep(seedHash, step), clock });

  /** In the order of the worker's session. @returns false: no more now */
  const signIn = async (again: boolean): Promise<boolean> => {
    const answer = await book.take(ours, now + skewMs);
    if (!answer.allowed) {
      life.denied += 1;
      // Sometimes the farm comes back exactly when it was told to.
      if (answer.until !== null && chance(0.5)) now = Math.max(now, answer.until - skewMs);
      return false;
    }
    life.submits += 1;
    mayDie();
    if (chance(0.1)) {
      await book.judge("unjudged");
      return false;
    }
    now += Math.round(random() * 20_000);
    let word = site.submit(ours, now);
    let refused: "password" | "code" | null = word === "wrong" ? "password" : null;
    mayDie();
    if (word === "in" && secondFactor) {
      const code = await totp(seed).catch((error: unknown) => {
        assert.ok(error instanceof Failure);
        return null;
      });
      mayDie();
      now += Math.round(random() * 7000);
      word = code === null ? "wrong" : site.submitCode(code, now);
      if (word === "wrong") refused = "code";
      mayDie();
    }
    assert.notEqual(word, "locked", `life ${number}: the account was locked`);
    // The page may say it in words that nobody knows.
    const unclear = chance(0.15);
    if (refused === "code" && again && !unclear) return true;
    const verdict = unclear ? "unclear" : refused ? "refused" : "accepted";
    await book.judge(verdict);
    if (verdict === "refused") life.refused += 1;
    if (verdict === "accepted") life.accepted += 1;
    return false;
  };

  for (let run = 0; run < 6 + Math.floor(random() * 20); run++) {
    now += Math.round((random() < 0.4 ? random() : random() * 60 * (chance(0.2) ? 30 : 1)) * MINUTE_MS);
    if (chance(0.06)) site.password = chance(0.5) ? "right" : "changed";
    if (chance(0.12)) ours = chance(0.6) ? site.password : `typo ${Math.floor(random() * 3)}`;
    if (chance(0.05)) skewMs = chance(0.5) ? 0 : Math.round((random() - 0.5) * 120_000);
    try {
      if (await signIn(true)) await signIn(false);
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    }
  }
  assert.equal(site.locked, false, `life ${number}: the account is locked`);
  assert.equal(site.reused, 0, `life ${number}: a code was used twice`);
  return life;
}

function add(all: Life, one: Life): void {
  for (const key of Object.keys(all) as (keyof Life)[]) all[key] += one[key];
}

const none = (): Life => ({ submits: 0, accepted: 0, refused: 0, crashes: 0, denied: 0 });

test(`${HISTORIES} generated lives with crashes: no account is locked at the third wrong try, and no code is used twice`, async (t) => {
  const all = none();
  for (let number = 1; number <= HISTORIES; number++) add(all, await live(number, inMemory()));
  t.diagnostic(JSON.stringify(all));
  // They did meet what they are about.
  for (const [what, count] of Object.entries(all)) assert.ok(count > HISTORIES / 4, `${what}: only ${count}`);
});

test("without the guard the same lives lock accounts, and without the ledger of steps codes are used twice", async () => {
  const allowed: SignInAnswer = { allowed: true };
  const outcomes = { locked: 0, reused: 0 };
  for (let number = 1; number <= 1000; number++) {
    await live(number, { ...inMemory(), take: async () => allowed }).catch((error: Error) => {
      assert.match(error.message, /locked/);
      outcomes.locked += 1;
    });
    await live(number, { ...inMemory(), takeStep: async () => true }).catch((error: Error) => {
      assert.match(error.message, /used twice|locked/);
      outcomes.reused += 1;
    });
  }
  assert.ok(outcomes.locked > 100 && outcomes.reused > 2, JSON.stringify(outcomes));
});

eachBackend(`the same lives on a real store, ${HISTORIES_ON_STORE} of them, take the same turns`, async (_t, { store }) => {
  await store.migrate("farm", migrations);
  const db = store.part<FarmTables>("farm");
  for (let number = 1; number <= HISTORIES_ON_STORE; number++) {
    const key = `locking:${number}`;
    let newest = 0;
    const kept = await live(number, {
      async take(version, now) {
        const answer = await takeSubmit(db, { key, site: key, version }, new Date(now));
        if (answer.allowed) newest = answer.id;
        return answer;
      },
      judge: async (verdict) => judgeSubmit(db, newest, verdict),
      takeStep: async (seedHash, step) => takeTotpStep(db, `${key}:${seedHash}`, step, new Date(start)),
    });
    assert.deepEqual(kept, await live(number, inMemory()), `life ${number} went another way`);
  }
});
