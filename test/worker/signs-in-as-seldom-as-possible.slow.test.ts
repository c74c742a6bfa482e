import assert from "node:assert/strict";
import { after, suite, test, type TestContext } from "node:test";
import { access } from "node:fs/promises";
import type { Assignment } from "../../src/contract/task.ts";
import { closeBrowser } from "../../src/worker/entry.ts";
import { makeAssignment, makeEpisode, runToEnd } from "../support/coordinator.ts";
import { browserProcesses } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { openTinySite, type TinySite } from "../support/tiny-site.ts";
import { onTheStudio } from "./on-the-studio.ts";

const driverModule = new URL("../support/tiny-driver.ts", import.meta.url).href;

async function onTheTinySite(t: TestContext): Promise<{ site: TinySite; assign(over?: Partial<Assignment>): Assignment }> {
  const site = await openTinySite();
  t.after(async () => site.close());
  const folder = await tempDir(t, "session");
  return { site, assign: (over) => makeAssignment({ origin: site.origin, driverModule, folder, ...over }) };
}

suite("signing in", { concurrency: false }, () => {
  after(async () => {
    await closeBrowser();
    assert.deepEqual(browserProcesses(), [], "browsers that outlived the test");
  });

  test("happens once: the next task brings the kept session and submits neither password nor code", async (t) => {
    const { assign, episode, history } = await onTheStudio(t, { secondFactor: "totp" });
    let codes = 0;
    const answers = { takeTotpStep: async () => (codes += 1) > 0 };
    const first = await runToEnd(assign(), { episodes: [await episode(1)], answers });
    assert.deepEqual(first.result, { outcome: "done" });
    assert.deepEqual([first.heard.submits, codes, first.heard.judged], [1, 1, ["accepted"]]);

    const second = await runToEnd(assign({ session: first.heard.session }), { episodes: [await episode(2)], answers });
    assert.deepEqual(second.result, { outcome: "done" });
    assert.deepEqual([second.heard.submits, codes, second.heard.judged], [0, 1, []]);
    assert.deepEqual(await history(), ["published Tập 1: Phố cổ Hội An", "published Tập 2: Phố cổ Hội An"]);
  });

  test("needs no password where the account came with a cookie that the site still knows", async (t) => {
    const { site, assign } = await onTheTinySite(t);
    const { heard: earlier } = await runToEnd(assign(), { episodes: [] });
    const given = assign();
    const { heard, result } = await runToEnd(
      { ...given, credentials: { ...given.credentials, cookie: earlier.cookie } },
      { episodes: [makeEpisode(1)] },
    );
    assert.equal(result.outcome, "done");
    assert.deepEqual([heard.submits, site.signIns], [0, 1]);
  });

  test("happens anew, once, when the kept session is no longer known", async (t) => {
    const { site, assign } = await onTheTinySite(t);
    const { heard: earlier } = await runToEnd(assign(), { episodes: [] });
    site.expireAfter(0);
    const { heard, result } = await runToEnd(assign({ session: earlier.session }), { episodes: [makeEpisode(1)] });
    assert.equal(result.outcome, "done");
    assert.deepEqual([heard.submits, site.signIns], [1, 2]);
    assert.notEqual(heard.cookie, earlier.cookie);
  });

  test("happens again, once, when the session ends between two episodes; neither is posted twice", async (t) => {
    const { studio, assign, episode, history } = await onTheStudio(t);
    const episodes = [await episode(1), await episode(2)];
    let rounds = 0;
    const { heard, result } = await runToEnd(assign(), {
      episodes,
      answers: {
        // Called before each sign-in: the new session is to last.
        maySubmitCredentials: async () => ((studio.edges.sessionExpiresAfterRequests = 0), { allowed: true, why: "" }),
        looked: async ({ episodeId }) => {
          // The upload of the second is the first to meet it.
          if (episodeId === "episode-2" && (rounds += 1) === 1) studio.edges.sessionExpiresAfterRequests = 2;
          return { go: true, why: "" };
        },
      },
    });
    assert.deepEqual(result, { outcome: "done" });
    assert.deepEqual([heard.submits, heard.judged], [2, ["accepted", "accepted"]]);
    assert.deepEqual(await history(), ["published Tập 1: Phố cổ Hội An", "published Tập 2: Phố cổ Hội An"]);
  });

  test("happens again when the session ends right at the publish request, which is then made once", async (t) => {
    const { studio, assign, episode, history } = await onTheStudio(t);
    let asked = 0;
    const { heard, result } = await runToEnd(assign(), {
      episodes: [await episode(1)],
      answers: {
        gate: async () => ((studio.edges.sessionExpiresAfterRequests = (asked += 1) === 1 ? -1 : 0), { pass: true, why: "" }),
        maySubmitCredentials: async () => ((studio.edges.sessionExpiresAfterRequests = 0), { allowed: true, why: "" }),
      },
    });
    assert.deepEqual(result, { outcome: "done" });
    assert.deepEqual(
      heard.sent.map(({ kind }) => kind),
      ["unsent", "proof"],
    );
    assert.equal(heard.submits, 2);
    assert.deepEqual(await history(), ["published Tập 1: Phố cổ Hội An"]);
  });

  test("with a refused password is tried once and judged refused", async (t) => {
    const { site, assign } = await onTheTinySite(t);
    site.behaviour.password = "another";
    const { heard, result } = await runToEnd(assign(), { episodes: [makeEpisode(1)] });
    assert.equal(result.outcome, "failed");
    assert.equal(result.failure?.code, "account.refused");
    assert.equal(result.failure?.detail, "The password is wrong.");
    assert.deepEqual([heard.submits, site.signIns, heard.judged], [1, 1, ["refused"]]);
    assert.deepEqual(heard.looked, []);
  });

  test("is not tried when the budget of tries is used up", async (t) => {
    const { site, assign } = await onTheTinySite(t);
    const { result } = await runToEnd(assign(), {
      episodes: [makeEpisode(1)],
      answers: { maySubmitCredentials: async () => ({ allowed: false, why: "three tries today" }) },
    });
    assert.deepEqual(result.failure && [result.failure.code, result.failure.detail], ["account.budget", "three tries today"]);
    assert.deepEqual(
      site.wire.filter((line) => line.includes("/login")),
      [],
    );
  });

  for (const [loginPage, code] of [
    ["locked", "account.locked"],
    ["challenge", "account.challenged"],
  ] as const) {
    test(`that meets a "${loginPage}" page ends as ${code}, with the page as evidence and no word against the password`, async (t) => {
      const { site, assign } = await onTheTinySite(t);
      site.behaviour.loginPage = loginPage;
      const { heard, result } = await runToEnd(assign(), { episodes: [makeEpisode(1)] });
      assert.equal(result.failure?.code, code);
      assert.deepEqual([site.signIns, heard.judged], [0, ["unjudged"]]);
      const kept = result.failure?.evidence ?? [];
      assert.deepEqual(
        kept.map((path) => path.replace(/^.*\d\d-/, "")).sort(),
        ["address.txt", "page.aria.yml", "screenshot.png"].map((name) => `${code}/${name}`),
      );
      await Promise.all(kept.map(async (path) => access(path)));
    });
  }
});
