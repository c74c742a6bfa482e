import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { episodeStates, mayMove, type EpisodeState } from "../../src/contract/states.ts";
import type { PreparedEpisode } from "../../src/contract/task.ts";
import * as episodes from "../../src/coordinator/episodes.ts";
import { everyRule } from "../../src/coordinator/rules.ts";
import { migrations } from "../../src/coordinator/migrations.ts";
import type { EpisodeRow, FarmTables } from "../../src/coordinator/tables.ts";
import { eachBackend, givenPglite } from "../support/store.ts";

const key = { accountKey: "scripted:a", episodeId: "e1" };
const copy = { link: "https://studio.example.com/e/1", id: "1" };
const prepared = { id: "e1" } as PreparedEpisode;
const failure = { code: "content.refused", detail: "too long" } as const;

test("a move that the table does not name is refused before it reaches the database", async (t) => {
  const { store } = await givenPglite(t);
  await store.migrate("farm", migrations);
  const db = store.part<FarmTables>("farm");
  for (const from of episodeStates) {
    for (const to of episodeStates) {
      const move = episodes.moveEpisode(db, key, new Date(), { from: [from], to });
      if (mayMove(from, to)) assert.equal(await move, null, "there is no such episode, so nothing moves");
      else await assert.rejects(move, /farm found its own records in contradiction/, `${from} -> ${to}`);
    }
  }
});

eachBackend(
  "whatever is called in whatever order, fences only grow, moves are in the table, and posted stays posted",
  async (_t, { store }) => {
    await store.migrate("farm", migrations);
    const db = store.part<FarmTables>("farm");
    let now = Date.parse("2026-11-21T08:00:00Z");
    const hand = (holder: string): episodes.Hand => ({ holder, now: new Date(now), leaseMs: 60_000, rules: everyRule });
    /** Each with the newest fence or an older one. */
    const calls: Record<string, (fence: number, holder: string) => Promise<unknown>> = {
      claim: async (_fence, holder) => episodes.claim(db, key, hand(holder), prepared, []),
      openLook: async (_fence, holder) => episodes.openLook(db, key, hand(holder)),
      ready: async (fence) => episodes.markReady(db, key, fence, new Date(now), []),
      arm: async (fence, holder) => episodes.markArmed(db, key, fence, hand(holder), 120_000),
      gate: async (fence, holder) => episodes.renewArm(db, key, fence, hand(holder)),
      proof: async () => episodes.markPosted(db, key, new Date(now), copy),
      unsent: async (fence) => episodes.markUnsent(db, key, fence, new Date(now)),
      unknown: async (fence) => episodes.markDoubt(db, key, hand(""), { detail: "no answer" }, fence),
      absent: async (fence) => episodes.markAbsent(db, key, fence, new Date(now), null),
      absentTwice: async (fence) => episodes.markAbsent(db, key, fence, new Date(now), { code: "episode.in_doubt", detail: "" }),
      fail: async (fence) => episodes.markFailed(db, key, new Date(now), failure, fence),
      release: async () => episodes.release(db, key, hand(""), "lease out"),
      wait: async () => void (now += 60_000),
    };
    const step = fc.record({
      call: fc.constantFrom(...Object.keys(calls)),
      stale: fc.boolean(),
      holder: fc.constantFrom("farm-1", "farm-2"),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        await db.deleteFrom("episodes").execute();
        await db
          .insertInto("episodes")
          .values({
            account_key: key.accountKey,
            episode_id: key.episodeId,
            task_id: "t1",
            title: "",
            marker: "ep-x",
            state: "waiting",
            updated_at: new Date(now),
          })
          .execute();
        const read = async (): Promise<EpisodeRow> => db.selectFrom("episodes").selectAll().executeTakeFirstOrThrow();
        let before = await read();
        for (const { call, stale, holder } of steps) {
          await calls[call]?.(stale ? before.fence - 1 : before.fence, holder);
          const after = await read();
          const changed = after.state !== before.state;
          assert.ok(!changed || mayMove(before.state, after.state), `${call}: ${before.state} -> ${after.state}`);
          assert.ok(after.fence >= before.fence, "a fence never goes back");
          if (call === "proof")
            assert.equal(after.state, "posted", "a late proof is a fact, whoever brings it and whatever was decided meanwhile");
          if (before.state === "posted") assert.equal(after.state, "posted" satisfies EpisodeState);
          if (changed && after.state === "armed") assert.ok(!stale, "an older fence never arms");
          if (changed && before.state === "armed")
            assert.ok(["posted", "claimed", "doubt"].includes(after.state), "armed never becomes free by itself");
          if (before.state === "doubt" && changed) assert.ok(after.state === "posted" || !stale, "only the newest look decides");
          before = after;
        }
      }),
      { numRuns: 25 },
    );
  },
);

eachBackend("the farm's schema goes up, down and up again", async (_t, { store }) => {
  for (let round = 0; round < 2; round++) {
    await store.migrate("farm", migrations);
    assert.deepEqual(await store.part<FarmTables>("farm").selectFrom("tasks").selectAll().execute(), []);
    await store.migrateDown("farm", migrations);
    await assert.rejects(store.part<FarmTables>("farm").selectFrom("tasks").selectAll().execute());
  }
});
