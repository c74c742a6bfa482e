import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { closeBrowser } from "../../src/worker/entry.ts";
import { openTcpProxy } from "../chaos/support/tcp-proxy.ts";
import { makeAssignment, makeEpisode, runToEnd } from "../support/coordinator.ts";
import { browserProcesses } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { openTinySite } from "../support/tiny-site.ts";
import { onTheStudio } from "./on-the-studio.ts";

suite("a request past the gate", { concurrency: false }, () => {
  after(async () => {
    await closeBrowser();
    assert.deepEqual(browserProcesses(), [], "browsers that outlived the test");
  });

  for (const [what, send, kind] of [
    ["that changes something", `request.post("/api/drafts", { data: {} })`, "unknown"],
    ["that only asks", `request.get("/home")`, "unsent"],
  ] as const) {
    test(`${what}, sent by the driver itself before its click failed, leaves the outcome ${kind}`, async (t) => {
      const site = await openTinySite();
      t.after(async () => site.close());
      const folder = await tempDir(t, "leak");
      const tiny = JSON.stringify(new URL("../support/tiny-driver.ts", import.meta.url).href);
      const path = join(folder, "leaky.mjs");
      await writeFile(
        path,
        `import tiny from ${tiny};\nexport default Object.create(tiny, Object.getOwnPropertyDescriptors({ async publish({ request }) { await ${send}; throw new Error("no link came"); } }));\n`,
      );
      const { heard } = await runToEnd(makeAssignment({ origin: site.origin, driverModule: pathToFileURL(path).href, folder }), {
        episodes: [makeEpisode(1)],
        maxTries: 1,
      });
      assert.equal(heard.sent[0]?.kind, kind);
    });
  }

  for (const way of ["page.request", "page.context().request"]) {
    test(`a publish by ${way} goes through the gate as well: held back, it reaches no site`, async (t) => {
      const site = await openTinySite();
      t.after(async () => site.close());
      const folder = await tempDir(t, "bypass");
      const tiny = JSON.stringify(new URL("../support/tiny-driver.ts", import.meta.url).href);
      const path = join(folder, "bypassing.mjs");
      await writeFile(
        path,
        `import tiny from ${tiny};\nexport default Object.create(tiny, Object.getOwnPropertyDescriptors({ async publish({ page, origin }, _episode, id) { await ${way}.post(origin + "/api/episodes/" + id + "/publish"); return { link: "/e/" + id, id }; } }));\n`,
      );
      const assignment = makeAssignment({ origin: site.origin, driverModule: pathToFileURL(path).href, folder });
      const published = (): string[] => site.wire.filter((line) => line.endsWith("/publish"));
      const gate = async (): Promise<{ pass: boolean; why: string }> => ({ pass: false, why: "somebody else holds it" });
      const { heard: held } = await runToEnd(assignment, { episodes: [makeEpisode(1)], maxTries: 1, answers: { gate } });
      assert.equal(held.gates, 1);
      assert.deepEqual(published(), []);
      const { heard } = await runToEnd(assignment, { episodes: [makeEpisode(1)], maxTries: 1 });
      assert.deepEqual([heard.gates, published().length], [1, 1]);
    });
  }

  test("that Chromium sends a second time by itself is counted by the look afterwards", async (t) => {
    const given = await onTheStudio(t, { edges: { tier: "list" } });
    const proxy = await openTcpProxy(given.studio.url);
    t.after(async () => proxy.close());
    const driverModule = new URL("../support/studio-drivers/studio-list-continue.ts", import.meta.url).href;
    proxy.harm(/^POST \/shows\/[^/]+\/episodes$/, { kind: "drop" }, 1);
    const episode = await given.episode(1);
    const assign = { origin: proxy.url, driverModule };
    const { heard } = await runToEnd(given.assign(assign), { episodes: [episode], maxTries: 1 });
    assert.equal(heard.sent.length, 1, "one click");
    assert.equal((await given.history()).length, 2, "two requests: Chromium did what the gate is there to prevent");

    const { heard: counted } = await runToEnd(given.assign({ ...assign, session: heard.session }), {
      episodes: [episode],
      purpose: "count",
    });
    assert.equal(counted.looked[0]?.copies.length, 2);
  });
});
