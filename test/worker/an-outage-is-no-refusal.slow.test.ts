import assert from "node:assert/strict";
import { after, test } from "node:test";
import { closeBrowser } from "../../src/worker/entry.ts";
import { runToEnd } from "../support/coordinator.ts";
import { openFaultyProxy } from "../support/faulty-proxy.ts";
import { onTheStudio } from "./on-the-studio.ts";

/**
 * Most sites tell an outage in the same place as a refusal. Taken for one, the episode would never be tried again. The second
 * driver here is one that can't tell them apart by the page.
 */
const drivers = {
  "a driver that knows the site's words for an outage": new URL("../../drivers/podcrew-studio.ts", import.meta.url).href,
  "a driver to which all alerts look alike": new URL("../support/studio-drivers/studio-any-alert.ts", import.meta.url).href,
};

const moments = {
  drafted: /^POST \/shows\/[^/]+\/(episodes|assets)$/,
  published: /^POST \/shows\/[^/]+\/episodes\/[^/]+\/publish$/,
};

after(async () => closeBrowser());

test("a site that swallows the sign-in is slow: nobody needs to look at the driver", async (t) => {
  const given = await onTheStudio(t);
  const origin = await openFaultyProxy(t, given.studio.url, (line) => (line === "POST /login" ? "swallowed" : "none"));
  const { heard, result } = await runToEnd(given.assign({ origin, stepTimeoutMs: 7000 }), { episodes: [], maxTries: 1 });
  assert.equal(result.failure?.code, "site.slow", result.failure?.detail);
  assert.match(result.failure?.detail ?? "", /POST \S+ has had no answer for \d+ s/);
  assert.deepEqual(heard.judged, ["unclear"]);
});

for (const [whose, driverModule] of Object.entries(drivers)) {
  for (const [what, lines] of Object.entries(moments)) {
    // Where the page itself tells the two apart, one of them shows it.
    for (const fault of whose.endsWith("alike") ? (["cut", "unavailable"] as const) : (["cut"] as const)) {
      test(`${whose}: a site that is ${fault} while an episode is ${what} is unreachable, and the episode is tried again later`, async (t) => {
        const given = await onTheStudio(t);
        const origin = await openFaultyProxy(t, given.studio.url, (line) => (lines.test(line) ? fault : "none"));
        const { heard, result } = await runToEnd(given.assign({ origin, driverModule, stepTimeoutMs: 5000 }), {
          episodes: [await given.episode(1)],
          maxTries: 1,
        });
        assert.deepEqual(heard.failed, [], "episodes that were given up");
        assert.equal(result.failure?.code, "site.unreachable", result.failure?.detail);
        assert.deepEqual(
          heard.sent.map(({ kind }) => kind),
          what === "published" ? ["unknown"] : [],
        );
        assert.deepEqual(await given.history(), []);
      });
    }
  }

  test(`${whose}: a gate that is shut says nothing about the episode`, async (t) => {
    const given = await onTheStudio(t);
    const { heard } = await runToEnd(given.assign({ driverModule }), {
      episodes: [await given.episode(1)],
      maxTries: 1,
      answers: { gate: async () => ({ pass: false, why: "somebody else holds the fence" }) },
    });
    assert.deepEqual(heard.failed, []);
    assert.deepEqual(heard.sent, [{ kind: "unsent", why: "the gate was shut: somebody else holds the fence" }]);
    assert.deepEqual(await given.history(), []);
  });

  test(`${whose}: what the site refuses is refused`, async (t) => {
    const given = await onTheStudio(t);
    const episode = { ...(await given.episode(1)), audioPath: "/dev/null" };
    const { heard } = await runToEnd(given.assign({ driverModule }), { episodes: [episode], maxTries: 1 });
    assert.deepEqual(
      heard.failed.map(({ failure: { code, detail } }) => `${code}: ${detail}`),
      ["content.refused: The file is empty."],
    );
  });
}
