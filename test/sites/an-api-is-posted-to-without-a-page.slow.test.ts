import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import type { Assignment, PreparedEpisode } from "../../src/contract/task.ts";
import { redact } from "../../src/kit/redact.ts";
import { closeBrowser } from "../../src/worker/entry.ts";
import { makeAssignment, makeEpisode, runToEnd } from "../support/coordinator.ts";
import { wav } from "../studio/support.ts";
import { openBuzzsprout } from "./buzzsprout/twin.ts";
import { openSpreaker } from "./spreaker/twin.ts";

const folder = await mkdtemp(join(tmpdir(), "podcrew-api-"));
const blank = { email: "", password: "", passMail: "", twofa: "", appPassword: "", cookie: "" };

function assign(site: string, origin: string, account: { username: string; apiToken: string }, over: Partial<Assignment> = {}): Assignment {
  const driverModule = new URL(`../../drivers/${site}.ts`, import.meta.url).href;
  return makeAssignment({ origin, driverModule, folder, site, accountKey: `${site}:1`, credentials: { ...blank, ...account }, ...over });
}

async function episode(number: number): Promise<PreparedEpisode> {
  const made = makeEpisode(number);
  const audioPath = join(folder, `${made.marker}.wav`);
  await writeFile(audioPath, wav(1));
  return { ...made, audioPath };
}

suite("a host with an API", { concurrency: false }, () => {
  after(async () => {
    await closeBrowser();
    await rm(folder, { recursive: true, force: true });
  });

  test("buzzsprout: an episode is private until the one request that makes it public; a second run posts nothing", async (t) => {
    const site = await openBuzzsprout();
    t.after(site.close);
    const account = { username: site.podcast, apiToken: "demo-buzzsprout-token" };
    const first = await runToEnd(assign("buzzsprout", site.origin, account), { episodes: [await episode(1), await episode(2)] });
    assert.deepEqual(first.result, { outcome: "done" });
    assert.deepEqual(
      first.heard.sent.map((sent) => sent.kind === "proof" && sent.copy.link),
      [788_881, 788_882].map((id) => `${site.origin}/${site.podcast}/${id}`),
    );
    assert.equal(first.heard.gates, 2, "each publish request asked at the gate");
    assert.equal(first.heard.feed, `${site.origin}/${site.podcast}.rss`);
    const again = await runToEnd(assign("buzzsprout", site.origin, account), { episodes: [await episode(1), await episode(2)] });
    assert.deepEqual(again.result, { outcome: "done" });
    assert.deepEqual(
      site.history().map(({ outcome }) => outcome),
      ["published", "published"],
    );
    assert.ok(!redact(`Token token ${account.apiToken}`).includes(account.apiToken), "the token is masked from here on");
  });

  test("buzzsprout: where nothing of ours is kept, nothing is made public", async (t) => {
    const site = await openBuzzsprout();
    t.after(site.close);
    Object.assign(site.behaviour, { keepsGuid: false, keepsFileName: false });
    const { result } = await runToEnd(assign("buzzsprout", site.origin, { username: site.podcast, apiToken: site.token }), {
      episodes: [await episode(3)],
    });
    assert.equal(result.failure?.code, "site.changed");
    assert.match(result.failure?.detail ?? "", /nothing tells the episode apart/);
    assert.deepEqual(site.history(), []);
  });

  test("buzzsprout: either the guid or the file's name is enough to find the episode again", async (t) => {
    const site = await openBuzzsprout();
    t.after(site.close);
    const account = { username: site.podcast, apiToken: site.token };
    for (const [number, kept] of [
      { keepsGuid: true, keepsFileName: false },
      { keepsGuid: false, keepsFileName: true },
    ].entries()) {
      Object.assign(site.behaviour, kept);
      const episodes = [await episode(10 + number)];
      await runToEnd(assign("buzzsprout", site.origin, account), { episodes });
      const { heard } = await runToEnd(assign("buzzsprout", site.origin, account), { episodes });
      assert.equal(heard.looked[0]?.copies.length, 1, JSON.stringify(kept));
    }
    assert.equal(site.history().length, 2);
  });

  test("an API that is down is no refusal of the token; a wrong token is", async (t) => {
    const [buzzsprout, spreaker] = [await openBuzzsprout(), await openSpreaker()];
    t.after(buzzsprout.close);
    t.after(spreaker.close);
    const hosts = [
      ["buzzsprout", buzzsprout, buzzsprout.podcast],
      ["spreaker", spreaker, spreaker.show],
    ] as const;
    for (const [name, site, username] of hosts) {
      site.behaviour.down = true;
      const down = await runToEnd(assign(name, site.origin, { username, apiToken: site.token }), { episodes: [await episode(4)] });
      assert.equal(down.result.failure?.code, "site.unreachable", name);
      assert.deepEqual(down.heard.judged, ["unclear"], name);
      site.behaviour.down = false;
      const wrong = await runToEnd(assign(name, site.origin, { username, apiToken: "demo-wrong-token" }), { episodes: [await episode(4)] });
      assert.equal(wrong.result.failure?.code, "account.refused", name);
      assert.deepEqual(wrong.heard.judged, ["refused"], name);
      assert.deepEqual(site.history(), []);
    }
  });

  test("spreaker: every page of the list is read, and what is still being encoded counts", async (t) => {
    const site = await openSpreaker();
    t.after(site.close);
    Object.assign(site.behaviour, { pageSize: 2, encodingMs: 60_000 });
    for (let number = 1; number <= 5; number += 1) site.given(`Episode ${number}`);
    const { result, heard } = await runToEnd(assign("spreaker", site.origin, { username: site.show, apiToken: site.token }), {
      episodes: [await episode(5)],
    });
    assert.deepEqual(result, { outcome: "done" });
    assert.equal(heard.listed.length, 5, "the list before the post");
    assert.equal(new Set(heard.listed.map(({ id }) => id)).size, 5);
    assert.equal(heard.sent[0]?.kind, "proof");
    assert.equal(site.history().length, 6);
  });
});
