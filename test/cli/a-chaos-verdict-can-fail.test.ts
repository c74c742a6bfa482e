import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judge, printVerdicts, withProblems, type AskedEpisode, type ChaosEvidence } from "../../src/cli/chaos/verdict.ts";

const posted: AskedEpisode = { episode: "ep-a", ended: "completed", link: "http://site.example/1", waitsForPerson: false };
const open: AskedEpisode = { ...posted, ended: "open", link: "" };
const copy = { episode: "ep-a", made: true, at: 1 };

function given(evidence: Partial<ChaosEvidence>): ChaosEvidence {
  return { title: "planted", faults: 1, publishes: [copy], asked: [posted], detectMs: [], recoverMs: [], ...evidence };
}

describe("the verdict of a chaos run", () => {
  it("is good when the site has each episode once and the manager knows", () => {
    const verdict = judge(given({}));
    assert.deepEqual(verdict.problems, []);
    assert.equal(verdict.ok, true);
    assert.deepEqual(verdict.requestsPerEpisode, { max: 1, repeated: 0 });
  });

  it("takes an episode that a person is asked about for what it is: in doubt", () => {
    const verdict = judge(given({ publishes: [], asked: [{ ...open, waitsForPerson: true }] }));
    assert.deepEqual([verdict.ok, verdict.inDoubt, verdict.limbo], [true, 1, 0]);
  });

  it("counts a harmless repeat as a request, not as a copy", () => {
    const verdict = judge(given({ publishes: [copy, { ...copy, made: false, at: 2 }] }));
    assert.deepEqual([verdict.ok, verdict.duplicated, verdict.requestsPerEpisode], [true, 0, { max: 2, repeated: 1 }]);
  });

  const planted: Record<string, { evidence: Partial<ChaosEvidence>; kind: "duplicated" | "lost" | "limbo"; says: RegExp }> = {
    "two copies": { evidence: { publishes: [copy, { ...copy, at: 2 }] }, kind: "duplicated", says: /ep-a is on the site 2 times/ },
    "two copies of what waits for a person": {
      evidence: { publishes: [copy, { ...copy, at: 2 }], asked: [{ ...open, waitsForPerson: true }] },
      kind: "duplicated",
      says: /ep-a is on the site 2 times/,
    },
    "a success that never was": { evidence: { publishes: [] }, kind: "lost", says: /ep-a was reported as posted and is not on the site/ },
    "a failure where nothing may fail": {
      evidence: { publishes: [], asked: [{ ...open, ended: "failed" }] },
      kind: "lost",
      says: /ep-a ended as failed/,
    },
    "a cancel where nothing may fail": {
      evidence: { publishes: [], asked: [{ ...open, ended: "canceled" }] },
      kind: "lost",
      says: /ep-a ended as canceled/,
    },
    "one that nobody has finished": { evidence: { publishes: [], asked: [open] }, kind: "limbo", says: /neither reported nor waiting/ },
    "one that is posted and never told": { evidence: { asked: [open] }, kind: "limbo", says: /ep-a is on the site and neither/ },
  };
  for (const [name, { evidence, kind, says }] of Object.entries(planted)) {
    it(`fails ${name}`, () => {
      const verdict = judge(given(evidence));
      assert.equal(verdict.ok, false);
      assert.equal(verdict[kind], 1);
      assert.match(verdict.problems.join("\n"), says);
    });
  }

  it("lets one fail that may", () => {
    assert.equal(judge(given({ publishes: [], asked: [{ ...open, ended: "failed", mayFail: true }] })).ok, true);
  });

  it("fails a copy that nobody asked for, and a run that asked for nothing", () => {
    assert.match(judge(given({ publishes: [copy, { ...copy, episode: "ep-x" }] })).problems.join(), /ep-x was published/);
    assert.match(judge(given({ publishes: [], asked: [] })).problems.join(), /No episode was asked for/);
  });

  it("fails by what a scenario adds", () => {
    const good = judge(given({}));
    assert.equal(withProblems(good, []).ok, true);
    assert.equal(withProblems(good, ["It took too long."]).ok, false);
  });

  it("is one line of a table each", () => {
    const text = printVerdicts([
      judge(given({ detectMs: [300, 100, 200], recoverMs: [1500] })),
      judge(given({ title: "worse", publishes: [copy, copy] })),
    ]);
    const [, good = "", bad = "", ...more] = text.split("\n");
    assert.deepEqual(more, []);
    assert.match(good, /^ok +planted .*0\.2 \/ 0\.3 +1\.5 \/ 1\.5/);
    assert.match(bad, /^FAIL +worse +1 +1 +1 +0 +0 +0 +2 \(1 episode > 1\)/);
  });
});
