import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { after, suite, test } from "node:test";
import { closeBrowser } from "../../src/worker/entry.ts";
import { runToEnd, type Heard } from "../support/coordinator.ts";
import { browserProcesses } from "../support/processes.ts";
import { openFaultyProxy } from "../support/faulty-proxy.ts";
import { onTheStudio } from "./on-the-studio.ts";

const driver = (name: string): string => new URL(`../support/studio-drivers/${name}.ts`, import.meta.url).href;
const names = (paths: readonly string[]): string[] => paths.map((path) => basename(path).replace(/^\d\d-/, ""));

async function text(heard: Heard, name: string): Promise<string> {
  const path = heard.evidence.find((one) => one.endsWith(name)) ?? "";
  assert.equal((await stat(path)).mode & 0o777, 0o600, path);
  return readFile(path, "utf8");
}

suite("besides posting", { concurrency: false }, () => {
  after(async () => {
    await closeBrowser();
    assert.deepEqual(browserProcesses(), [], "browsers that outlived the test");
  });

  test("a count finds the copies, tells them and does nothing else", async (t) => {
    const given = await onTheStudio(t, { edges: { tier: "list" } });
    const driverModule = driver("studio-list");
    const episode = await given.episode(1);
    const { heard: first } = await runToEnd(given.assign({ driverModule }), { episodes: [episode] });
    const session = first.session;
    // A second hand that knows of nothing: its look is told "go" although the site has the episode.
    const answers = { looked: async () => ({ go: true, why: "" }) };
    await runToEnd(given.assign({ driverModule, session }), { episodes: [episode], answers });

    const { heard, result } = await runToEnd(given.assign({ driverModule, session }), { episodes: [episode], purpose: "count" });
    assert.equal(result.outcome, "done");
    assert.equal(heard.looked[0]?.copies.length, 2);
    assert.deepEqual([heard.drafted, heard.sent, heard.evidence, heard.gates], [[], [], [], 0]);
    assert.equal((await given.history()).length, 2);
  });

  test("drafts that nobody needs are taken away, and one that is gone already, too", async (t) => {
    const given = await onTheStudio(t);
    const [episode, other] = [await given.episode(1), await given.episode(2)];
    const { heard: before } = await runToEnd(given.assign(), {
      episodes: [episode],
      maxTries: 1,
      answers: { arm: async () => ({ armed: false, why: "canceled" }) },
    });
    const draftId = before.drafted[0] ?? "";
    const leftOver = [
      { draftId, episode },
      { draftId, episode },
    ];
    const { heard, result } = await runToEnd(given.assign({ session: before.session }), { episodes: [other], leftOver });
    assert.equal(result.outcome, "done");
    assert.deepEqual(heard.discarded, [draftId, draftId]);
    assert.deepEqual(await given.history(), ["published Tập 2: Phố cổ Hội An"]);
  });

  test("a draft that can't be taken away is said, and the next episode goes on", async (t) => {
    const given = await onTheStudio(t);
    const episode = await given.episode(1);
    const { heard: before } = await runToEnd(given.assign(), {
      episodes: [episode],
      maxTries: 1,
      answers: { arm: async () => ({ armed: false, why: "canceled" }) },
    });
    const origin = await openFaultyProxy(t, given.studio.url, (line) => (line.startsWith("DELETE") ? "unavailable" : "none"));
    const leftOver = [{ draftId: before.drafted[0] ?? "", episode }];
    const { heard, result } = await runToEnd(given.assign({ origin, stepTimeoutMs: 6000 }), {
      episodes: [await given.episode(2)],
      leftOver,
    });
    assert.equal(result.outcome, "done");
    assert.deepEqual(heard.discarded, []);
    assert.match(heard.steps.join("\n"), /not discarded: .*503/);
  });

  test("a look that finds nothing keeps what it saw: the list, what it asked and was told, and the feed", async (t) => {
    const given = await onTheStudio(t, { edges: { tier: "list", marker: false } });
    const driverModule = driver("studio-list-unmarked");
    const [there, missing] = [await given.episode(1), await given.episode(2)];
    const { heard: before } = await runToEnd(given.assign({ driverModule }), { episodes: [there] });
    const { heard } = await runToEnd(given.assign({ driverModule, session: before.session }), { episodes: [missing], purpose: "look" });
    assert.deepEqual(names(heard.evidence), ["listing.png", "listing.url.txt", "listing.page.txt", "look.json", "feed.xml"]);
    assert.match(await text(heard, "listing.page.txt"), /Tập 1: Phố cổ Hội An/);
    assert.match(await text(heard, "listing.url.txt"), /\/shows\/slow-mornings\/episodes/);
    const told = JSON.parse(await text(heard, "look.json")) as { episode: { title: string }; said: { list: { title: string }[] } };
    assert.deepEqual([told.episode.title, told.said.list.map(({ title }) => title)], [missing.title, [there.title]]);
    assert.match(await text(heard, "feed.xml"), /<title>Tập 1: Phố cổ Hội An<\/title>/);
    assert.deepEqual(
      heard.listed.map(({ title }) => title),
      [there.title],
    );
  });

  test("a feed that does not come is no reason to fail, and does not hold the look up", async (t) => {
    const given = await onTheStudio(t, { edges: { tier: "blind" } });
    const origin = await openFaultyProxy(t, given.studio.url, (line) => (/distribution/.test(line) ? "cut" : "none"));
    const began = performance.now();
    const { heard, result } = await runToEnd(given.assign({ origin, driverModule: driver("studio-blind") }), {
      episodes: [await given.episode(1)],
      purpose: "look",
      answers: { feed: async () => undefined },
    });
    assert.ok(performance.now() - began < 60_000);
    assert.deepEqual(heard.looked.length, 1);
    assert.deepEqual(names(heard.evidence), ["look.json", "feed.xml"]);
    assert.match(await text(heard, "feed.xml"), /could not be read/);
    // The task's own reading of the feed, after the look, meets the same.
    assert.equal(result.failure?.code, "site.unreachable");
  });
});
