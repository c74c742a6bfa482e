import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { closeBrowser } from "../../src/worker/entry.ts";
import { makeAssignment, makeEpisode, runToEnd } from "../support/coordinator.ts";
import { browserProcesses } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { openTinySite } from "../support/tiny-site.ts";
import { Visitor } from "../studio/support.ts";
import { onTheStudio, type OnTheStudio } from "./on-the-studio.ts";

/** What a person sees in the studio's list of episodes. */
async function listed({ studio, credentials }: OnTheStudio): Promise<string[]> {
  const visitor = new Visitor(studio.url);
  await visitor.signIn(credentials.password, credentials.email);
  const { text } = await visitor.get("/shows/slow-mornings/episodes");
  assert.match(text, /Search episodes/);
  return [...text.matchAll(/data-guid="[^"]*"[^>]*data-status="(\w+)"|data-status="(\w+)"[^>]*data-guid="/g)].map(
    ([, one, other]) => one ?? other ?? "",
  );
}

suite("a task that must not post", { concurrency: false }, () => {
  after(async () => {
    await closeBrowser();
    assert.deepEqual(browserProcesses(), [], "browsers that outlived the test");
  });

  test("goes up to the click in a rehearsal and leaves no draft behind, under a pop-up, too", async (t) => {
    const there = await onTheStudio(t, { edges: { whatsNew: true } });
    const { heard, result } = await runToEnd(there.assign({ mode: "rehearse" }), { episodes: [await there.episode(1)] });
    assert.deepEqual(result, { outcome: "stopped" });
    assert.deepEqual(heard.steps.slice(-2), ["upload", "rehearsed: Tập 1: Phố cổ Hội An"]);
    assert.deepEqual([heard.drafted, heard.sent, heard.failed, heard.gates], [[], [], [], 0]);
    assert.deepEqual(await there.history(), []);
    assert.deepEqual(await listed(there), []);
  });

  test("only looks when an outcome is to be cleared up: what is there is told with its link, what is not is not made", async (t) => {
    const there = await onTheStudio(t);
    const [posted, missing] = [await there.episode(1), await there.episode(2)];
    const { heard: before } = await runToEnd(there.assign(), { episodes: [posted] });
    const proof = before.sent[0];
    assert.ok(proof?.kind === "proof");

    const { heard } = await runToEnd(there.assign({ session: before.session }), { episodes: [posted, missing], purpose: "look" });
    assert.deepEqual(heard.looked, [
      { episodeId: posted.id, copies: [proof.copy] },
      { episodeId: missing.id, copies: [] },
    ]);
    assert.deepEqual([heard.drafted, heard.sent, heard.gates], [[], [], 0]);
    assert.deepEqual(await there.history(), ["published Tập 1: Phố cổ Hội An"]);
    assert.deepEqual(await listed(there), ["published"]);
  });

  test("signs in, keeps the session and ends when it is a check; what wants to publish on the way is stopped, however it is sent", async (t) => {
    const site = await openTinySite();
    t.after(async () => site.close());
    const folder = await tempDir(t, "check");
    const path = join(folder, "eager.mjs");
    const tiny = JSON.stringify(new URL("../support/tiny-driver.ts", import.meta.url).href);
    const publish = '"/api/episodes/1/publish"';
    const signIn = `async signIn(site) {
      await tiny.signIn(site);
      await site.page.evaluate(async () => fetch(${publish}, { method: "POST" }).catch(() => undefined));
      await site.request.post(${publish}, { data: {} }).catch(() => undefined);
    }`;
    await writeFile(
      path,
      `import tiny from ${tiny};\nexport default Object.create(tiny, Object.getOwnPropertyDescriptors({ ${signIn} }));\n`,
    );
    const driverModule = pathToFileURL(path).href;
    const { heard, result } = await runToEnd(makeAssignment({ origin: site.origin, driverModule, folder, kind: "check" }), {
      episodes: [makeEpisode(1)],
    });
    assert.deepEqual(result, { outcome: "done" });
    assert.deepEqual([heard.judged, heard.submits, heard.looked, heard.drafted, heard.feed], [["accepted"], 1, [], [], ""]);
    assert.ok(heard.session && heard.cookie, "the session is kept");
    assert.ok(heard.steps.includes("stopped: the page wanted to publish before the verb publish"), heard.steps.join());
    assert.deepEqual(
      site.wire.filter((line) => line.startsWith("POST ")),
      ["POST /login"],
    );
  });
});
