import assert from "node:assert/strict";
import { after, beforeEach, suite, test } from "node:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Assignment, NextEpisode } from "../../src/contract/task.ts";
import { closeBrowser } from "../../src/worker/entry.ts";
import { makeAssignment, makeEpisode, runToEnd, startRun } from "../support/coordinator.ts";
import { browserProcesses } from "../support/processes.ts";
import { openTinySite, type TinySite } from "../support/tiny-site.ts";

const driverModule = new URL("../support/tiny-driver.ts", import.meta.url).href;
const folder = await mkdtemp(join(tmpdir(), "podcrew-worker-"));
let site: TinySite;
const publishes = (): number => site.wire.filter((line) => line.endsWith("/publish")).length;
const assign = (over: Partial<Assignment> = {}): Assignment => makeAssignment({ origin: site.origin, driverModule, folder, ...over });

suite("the publish request", { concurrency: false }, () => {
  beforeEach(async (t) => {
    site = await openTinySite();
    (t as { after?: (fn: () => Promise<void>) => void }).after?.(async () => site.close());
  });
  after(async () => {
    await closeBrowser();
    assert.deepEqual(browserProcesses(), [], "browsers that outlived the test");
    await rm(folder, { recursive: true, force: true });
  });

  test("leaves once for each episode, and the links and the feed are reported", async () => {
    const { result, heard } = await runToEnd(assign(), { episodes: [makeEpisode(1), makeEpisode(2)] });
    assert.deepEqual(result, { outcome: "done" });
    assert.equal(publishes(), 2);
    assert.deepEqual(
      heard.sent,
      [1, 2].map((id) => ({ kind: "proof", httpStatus: 200, copy: { link: `${site.origin}/e/${id}`, id: String(id) } })),
    );
    assert.deepEqual(heard.drafted, ["1", "2"]);
    assert.equal(heard.feed, `${site.origin}/feed.xml`);
    assert.equal(site.episodes[0]?.title, "Tập 1: Phố cổ Hội An");
    assert.match(heard.cookie, /^sid=\w+$/);
  });

  test("is not made again where the site has the episode already", async () => {
    await runToEnd(assign(), { episodes: [makeEpisode(1)] });
    const { result, heard } = await runToEnd(assign(), { episodes: [makeEpisode(1)] });
    assert.equal(result.outcome, "done");
    assert.deepEqual(heard.looked, [{ episodeId: "episode-1", copies: [{ link: `${site.origin}/e/1`, id: "1" }] }]);
    assert.equal(publishes(), 1);
  });

  test("is on the wire once although the site cuts the connection after it was handled; the outcome is unknown", async () => {
    site.behaviour.publish = "drop";
    const { heard } = await runToEnd(assign(), { episodes: [makeEpisode(1)], maxTries: 1 });
    assert.equal(publishes(), 1);
    assert.equal(heard.sent[0]?.kind, "unknown");
  });

  test("is on the wire once although the connection had carried an earlier one and is cut after this one was handled", async () => {
    site.onPublish = () => void (site.behaviour.publish = publishes() === 2 ? "drop" : "ok");
    const { heard } = await runToEnd(assign(), { episodes: [makeEpisode(1), makeEpisode(2)], maxTries: 1 });
    assert.equal(site.publishedOver.length, 2);
    assert.equal(site.publishedOver[0], site.publishedOver[1], "the second came over the kept-alive connection of the first");
    assert.deepEqual(
      heard.sent.map(({ kind }) => kind),
      ["proof", "unknown"],
    );
    assert.equal(publishes(), 2, "one for each episode");
  });

  test("is unsent when the site takes no connection any more", async () => {
    const closesTheSite = async () => {
      await site.close();
      return { pass: true, why: "" };
    };
    const { heard, result } = await runToEnd(assign(), { episodes: [makeEpisode(1)], maxTries: 1, answers: { gate: closesTheSite } });
    assert.equal(heard.sent[0]?.kind, "unsent");
    assert.match(heard.sent[0]?.kind === "unsent" ? heard.sent[0].why : "", /ECONNREFUSED/);
    assert.equal(result.failure?.code, "site.unreachable");
    assert.equal(publishes(), 0);
  });

  test("does not get out behind the gate when the page repeats it while the next episode is awaited", async () => {
    site.behaviour.sendsAgainAfterMs = 300;
    let asked = 0;
    const next = async (): Promise<NextEpisode> => {
      asked += 1;
      if (asked === 1) return { kind: "episode", purpose: "post", fence: 1, draftId: null, episode: makeEpisode(1), position: 0, total: 2 };
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return { kind: "finish" };
    };
    const { heard, result } = await runToEnd(assign(), { episodes: [makeEpisode(1)], answers: { next } });
    assert.equal(result.outcome, "done");
    assert.equal(heard.sent[0]?.kind, "proof");
    assert.equal(publishes(), 1);
  });

  test("never leaves through a closed gate", async () => {
    const { heard } = await runToEnd(assign(), {
      episodes: [makeEpisode(1)],
      maxTries: 1,
      answers: { gate: async () => ({ pass: false, why: "somebody else holds the fence" }) },
    });
    assert.equal(publishes(), 0);
    assert.deepEqual(heard.sent, [{ kind: "unsent", why: "the gate was shut: somebody else holds the fence" }]);
  });

  test("never leaves on a permission that is older than two seconds", async () => {
    const slow = async () =>
      new Promise<{ pass: boolean; why: string }>((resolve) => setTimeout(() => resolve({ pass: true, why: "" }), 2050));
    const { heard } = await runToEnd(assign({ stepTimeoutMs: 15_000 }), {
      episodes: [makeEpisode(1)],
      maxTries: 1,
      answers: { gate: slow },
    });
    assert.equal(publishes(), 0);
    assert.equal(heard.gates, 3, "each question renews the arm");
    assert.equal(heard.sent[0]?.kind, "unsent");
  });

  test("is not even tried when the coordinator does not arm", async () => {
    const { heard } = await runToEnd(assign(), {
      episodes: [makeEpisode(1)],
      maxTries: 1,
      answers: { arm: async () => ({ armed: false, why: "canceled" }) },
    });
    assert.equal(publishes(), 0);
    assert.deepEqual(heard.sent, []);
  });

  test("is let through once when the page sends it twice", async () => {
    site.behaviour.doubleClick = true;
    const { heard } = await runToEnd(assign(), { episodes: [makeEpisode(1)], maxTries: 1 });
    assert.equal(publishes(), 1);
    assert.equal(heard.sent[0]?.kind, "proof");
    assert.match(heard.steps.join("\n"), /1 more publish requests? of the page were stopped/);
  });

  test("may be a plain form that is answered by a redirect", async () => {
    site.behaviour.plainForm = true;
    const { heard, result } = await runToEnd(assign(), { episodes: [makeEpisode(1)], maxTries: 1 });
    assert.equal(result.outcome, "done");
    assert.equal(publishes(), 1);
    assert.deepEqual(heard.sent, [{ kind: "proof", httpStatus: 303, copy: { link: `${site.origin}/e/1`, id: "1" } }]);
  });

  test("that the site refuses ends this episode with the site's words, and the next one goes on", async () => {
    site.onPublish = () => void (site.behaviour.publish = publishes() === 1 ? "refuse" : "ok");
    const { heard, result } = await runToEnd(assign(), { episodes: [makeEpisode(1), makeEpisode(2)] });
    assert.equal(result.outcome, "done");
    assert.deepEqual(
      heard.sent.map(({ kind }) => kind),
      ["unsent", "proof"],
    );
    assert.deepEqual(heard.failed, [
      { episodeId: "episode-1", failure: { code: "content.refused", detail: "the site answered 422: The title is not allowed here." } },
    ]);
  });

  for (const [publish, kind] of [
    ["fail", "unknown"],
    ["conflict", "unknown"],
    ["sign-in", "unsent"],
  ] as const) {
    test(`answered by "${publish}" is ${kind}`, async () => {
      site.behaviour.publish = publish;
      const { heard } = await runToEnd(assign(), { episodes: [makeEpisode(1)], maxTries: 1 });
      assert.equal(heard.sent[0]?.kind, kind);
      assert.equal(publishes(), 1);
    });
  }

  test("is not made when the task is canceled before the click", async () => {
    const canceled = startRun(assign(), {
      episodes: [makeEpisode(1)],
      answers: {
        arm: async () => {
          canceled.cancel("canceled in the manager");
          return { armed: true, why: "" };
        },
        gate: async () => new Promise((resolve) => setTimeout(() => resolve({ pass: true, why: "" }), 300)),
      },
    });
    assert.deepEqual(await canceled.result, { outcome: "stopped" });
    assert.equal(publishes(), 0);
    assert.equal(canceled.heard.sent[0]?.kind, "unsent");
  });

  test("is not made, and the task is over within 10 s, when it is canceled while the site does not answer", async () => {
    site.behaviour.hangsAt = "/new";
    const canceled = startRun(assign({ stepTimeoutMs: 60_000 }), {
      episodes: [makeEpisode(1)],
      answers: { looked: async () => (setTimeout(() => canceled.cancel("canceled in the manager"), 300), { go: true, why: "" }) },
    });
    const began = performance.now();
    assert.deepEqual(await canceled.result, { outcome: "stopped" });
    assert.ok(performance.now() - began < 10_000);
    assert.equal(publishes(), 0);
    assert.deepEqual(canceled.heard.sent, []);
  });

  test("that has left is seen to its end although the task is canceled meanwhile", async () => {
    const running = startRun(assign(), { episodes: [makeEpisode(1)] });
    site.onPublish = async () => {
      running.cancel("canceled in the manager");
      await new Promise((resolve) => setTimeout(resolve, 300));
    };
    assert.deepEqual(await running.result, { outcome: "stopped" });
    assert.equal(publishes(), 1);
    assert.equal(running.heard.sent[0]?.kind, "proof");
  });

  test("is made in spite of a pop-up over the page", async () => {
    site.behaviour.popUp = true;
    const { heard, result } = await runToEnd(assign(), { episodes: [makeEpisode(1)] });
    assert.equal(result.outcome, "done");
    assert.equal(heard.sent[0]?.kind, "proof");
    assert.equal(publishes(), 1);
  });

  test("is left out of a rehearsal", async () => {
    const { heard, result } = await runToEnd(assign({ mode: "rehearse" }), { episodes: [makeEpisode(1)] });
    assert.equal(result.outcome, "stopped");
    assert.equal(publishes(), 0);
    assert.match(heard.steps.join("\n"), /rehearsed/);
  });

  test("is never part of a look", async () => {
    const { heard } = await runToEnd(assign(), { episodes: [makeEpisode(1)], purpose: "look" });
    assert.deepEqual(heard.looked, [{ episodeId: "episode-1", copies: [] }]);
    assert.equal(site.episodes.length, 0);
  });

  test("leaves no browser process behind once the browser is closed, and the next task gets a new one", async () => {
    await runToEnd(assign(), { episodes: [] });
    assert.notDeepEqual(browserProcesses(), []);
    await closeBrowser();
    assert.deepEqual(browserProcesses(), []);
    const { result } = await runToEnd(assign(), { episodes: [makeEpisode(1)] });
    assert.equal(result.outcome, "done");
    assert.equal(publishes(), 1);
  });
});
