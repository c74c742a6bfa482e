import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, suite, test, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { rehearsalReport, type RehearsalReport } from "../../src/contract/rehearsal.ts";
import { closeBrowser } from "../../src/worker/entry.ts";
import { runToEnd, type Heard } from "../support/coordinator.ts";
import { browserProcesses } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { onTheStudio, type OnTheStudio } from "./on-the-studio.ts";

/** A walk by the studio's own driver, with changes to its text. */
async function walk(
  t: TestContext,
  there: OnTheStudio,
  change: (text: string) => string = (text) => text,
): Promise<{ report: RehearsalReport; heard: Heard; outcome: string }> {
  const folder = await tempDir(t, "walk");
  const text = await readFile(new URL("../../drivers/podcrew-studio.ts", import.meta.url), "utf8");
  const file = join(folder, "changed.ts");
  await writeFile(file, change(text.replace("../src/driver/index.ts", "podcrew/driver")));
  const assignment = there.assign({
    mode: "walk",
    driverModule: pathToFileURL(file).href,
    evidenceDir: join(folder, "evidence"),
    stepTimeoutMs: 6000,
  });
  const { heard, result } = await runToEnd(assignment, { episodes: [await there.episode(1)] });
  const report = rehearsalReport.parse(JSON.parse(await readFile(join(folder, "evidence/rehearsal/report.json"), "utf8")));
  for (const { picture } of [...report.verbs, ...report.sightings]) if (picture) assert.ok((await stat(picture)).size > 1000);
  return { report, heard, outcome: result.outcome };
}

const missing = (report: RehearsalReport): string[] =>
  report.sightings.filter(({ found }) => found === "no").map(({ verb, locator, note }) => `${verb} ${locator} ${note}`);

suite("a walk through the site", { concurrency: false }, () => {
  after(async () => {
    await closeBrowser();
    assert.deepEqual(browserProcesses(), [], "browsers that outlived the test");
  });

  test("goes by each verb, looks for Publish without pressing it, takes its draft away, and is content", async (t) => {
    const there = await onTheStudio(t, { edges: { whatsNew: true } });
    const { report, heard, outcome } = await walk(t, there);
    assert.equal(outcome, "stopped");
    assert.deepEqual(missing(report), []);
    assert.deepEqual(
      [...new Set(report.verbs.map(({ verb, failure }) => `${verb} ${failure}`.trim()))],
      ["signIn", "find", "draft", "publish", "discard", "feed"],
    );
    assert.ok(
      report.verbs.every(({ picture }) => picture),
      "a picture of each",
    );
    const publish = report.sightings.filter(({ verb }) => verb === "publish");
    assert.deepEqual(
      publish.map(({ locator, action, found, note }) => [locator, action, found, note]),
      [["getByRole('button', { name: 'Publish', exact: true })", "click", "yes", "not pressed"]],
    );
    assert.deepEqual([heard.sent, heard.gates, heard.feed, report.stopped], [[], 0, "", 0]);
    assert.deepEqual(await there.history(), []);
  });

  test("says all fields that have moved in one walk, what is like them, and that the button is called otherwise", async (t) => {
    const there = await onTheStudio(t, { edges: { changedLabel: "Release" } });
    const { report } = await walk(t, there, (text) =>
      text
        .replace('getByLabel("The voice is made by a machine")', 'getByLabel("Spoken by a machine")')
        .replace('getByLabel("Description")', 'getByLabel("Describe it")'),
    );
    assert.deepEqual(missing(report), [
      "draft getByLabel('Describe it') not there",
      "draft getByLabel('Spoken by a machine') not there",
      "publish getByRole('button', { name: 'Publish', exact: true }) not there",
    ]);
    const [describe, machine, publish] = report.sightings.filter(({ found }) => found === "no").map(({ candidates = [] }) => candidates);
    assert.equal(describe?.[0]?.locator, "getByRole('textbox', { name: 'Description' })");
    assert.equal(machine?.[0]?.locator, "getByRole('checkbox', { name: 'The voice is made by a machine' })");
    assert.ok(publish?.some(({ locator }) => locator === "getByRole('button', { name: 'Release' })"));
    assert.deepEqual(await there.history(), []);
  });

  test("stops a driver that publishes while it drafts, and still reads the feed's page", async (t) => {
    const there = await onTheStudio(t);
    const { report, outcome } = await walk(t, there, (text) =>
      text.replace(
        "    return /episodes",
        '    await page.getByRole("button", { name: "Publish", exact: true }).click();\n    await page.getByRole("button", { name: "Publish now" }).click();\n    await page.getByRole("link", { name: "Public page" }).waitFor();\n    return /episodes',
      ),
    );
    assert.equal(outcome, "failed");
    assert.equal(report.stopped, 1);
    assert.deepEqual(await there.history(), []);
    assert.deepEqual(missing(report), ["draft getByRole('link', { name: 'Public page' }) not there"]);
    assert.equal(report.verbs.at(-1)?.verb, "feed");
  });

  test("says that a driver finds what nobody published, and drafts all the same", async (t) => {
    const there = await onTheStudio(t);
    const { report } = await walk(t, there, (text) =>
      text.replace(
        '    return (await rows(site, episode, ["published"',
        '    if (episode) return [{ link: "/e/other" }];\n    return (await rows(site, episode, ["published"',
      ),
    );
    assert.deepEqual(report.remarks, [`find says that the episode is published already, and it never was: ${there.studio.url}/e/other`]);
    assert.ok(report.verbs.some(({ verb }) => verb === "draft"));
  });

  test("holds no secret in its report", async (t) => {
    const there = await onTheStudio(t, { secondFactor: "totp" });
    const { report } = await walk(t, there);
    const text = JSON.stringify(report);
    for (const secret of [there.credentials.password, there.credentials.twofa])
      for (const form of [secret, JSON.stringify(secret).slice(1, -1)]) assert.ok(!text.includes(form));
  });
});
