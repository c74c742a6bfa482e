import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { inflateRawSync } from "node:zlib";
import { closeBrowser } from "../../src/worker/entry.ts";
import { makeAssignment, makeEpisode, runToEnd } from "../support/coordinator.ts";
import { browserProcesses } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { openTinySite } from "../support/tiny-site.ts";
import { onTheStudio } from "./on-the-studio.ts";

/** All entries of a zip file, by its directory. */
function unzip(file: Buffer): Map<string, Buffer> {
  const entries = new Map<string, Buffer>();
  const end = file.lastIndexOf("PK\x05\x06", undefined, "latin1");
  for (let at = file.readUInt32LE(end + 16), left = file.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [method, size, nameLength, extra, comment, local] = [
      file.readUInt16LE(at + 10),
      file.readUInt32LE(at + 20),
      file.readUInt16LE(at + 28),
      file.readUInt16LE(at + 30),
      file.readUInt16LE(at + 32),
      file.readUInt32LE(at + 42),
    ];
    const begin = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    const data = file.subarray(begin, begin + size);
    entries.set(file.toString("utf8", at + 46, at + 46 + nameLength), method === 0 ? data : inflateRawSync(data));
    at += 46 + nameLength + extra + comment;
  }
  return entries;
}

/** Everything that can be read in the kept files, by its name. */
async function readEvidence(paths: readonly string[]): Promise<Map<string, Buffer>> {
  const all = new Map<string, Buffer>();
  for (const path of paths) {
    const file = await readFile(path);
    const kind = basename(path);
    all.set(kind, file);
    if (kind === "trace.zip") for (const [name, data] of unzip(file)) all.set(`trace.zip/${name}`, data);
  }
  return all;
}

function assertNowhere(evidence: Map<string, Buffer>, secrets: Record<string, string>): void {
  for (const [what, secret] of Object.entries(secrets)) {
    assert.ok(secret.length >= 4, `${what} is there to be looked for`);
    const forms = [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      new URLSearchParams({ v: secret }).toString().slice(2),
    ];
    for (const [name, data] of evidence) for (const form of forms) assert.ok(!data.includes(form), `${what} stands in ${name}`);
  }
}

suite("evidence", { concurrency: false }, () => {
  after(async () => {
    await closeBrowser();
    assert.deepEqual(browserProcesses(), [], "browsers that outlived the test");
  });

  test("of a renamed button is a picture, the address, the page's text and a trace, and no secret is in any of them", async (t) => {
    const { studio, assign, episode, credentials, history } = await onTheStudio(t, {
      secondFactor: "totp",
      edges: { changedLabel: "Release" },
    });
    const { heard, result } = await runToEnd(assign({ stepTimeoutMs: 6000 }), { episodes: [await episode(1)], maxTries: 1 });
    assert.equal(result.outcome, "failed");
    assert.equal(result.failure?.code, "site.changed");
    assert.match(result.failure?.detail ?? "", /^podcrew-studio, publish: .*waiting for .*Publish/);
    assert.deepEqual(
      heard.sent.map(({ kind }) => kind),
      ["unsent"],
    );
    assert.deepEqual(await history(), []);

    const evidence = await readEvidence(result.failure?.evidence ?? []);
    assert.deepEqual(
      [...evidence.keys()].filter((name) => !name.includes("/")),
      ["screenshot.png", "address.txt", "page.aria.yml", "locator.txt", "trace.zip"],
    );
    assert.equal(evidence.get("screenshot.png")?.toString("latin1", 1, 4), "PNG");
    assert.match(String(evidence.get("address.txt")), new RegExp(`^${studio.url}/shows/slow-mornings/episodes/\\w+/edit\n$`));
    assert.match(String(evidence.get("page.aria.yml")), /button "Release"/);
    assert.match(
      String(evidence.get("locator.txt")),
      /looked for {2}getByRole\('button', \{ name: 'Publish', exact: true \}\)\nit was {6}not there/,
    );
    assert.match(String(evidence.get("locator.txt")), /^ {2}0\.\d\d {2}getByRole\('button', \{ name: 'Release' \}\)$/m);
    assert.equal(new Set(result.failure?.evidence?.map((path) => dirname(path))).size, 1, "one folder");
    assert.match(String(evidence.get("trace.zip/trace.trace")), /"method":"click"/);
    assert.match(String(evidence.get("trace.zip/trace.network")), /"method":"POST"/);
    assertNowhere(evidence, { password: credentials.password, seed: credentials.twofa, ...cookies(heard.cookie) });
    for (const path of result.failure?.evidence ?? []) assert.equal((await stat(path)).size > 0, true, path);
  });

  test("of a sign-in that gets stuck with the password in its field does not hold it, nor any trace", async (t) => {
    const site = await openTinySite();
    t.after(async () => site.close());
    site.behaviour.loginPage = "stuck";
    const given = makeAssignment({
      origin: site.origin,
      driverModule: new URL("../support/tiny-driver.ts", import.meta.url).href,
      folder: await tempDir(t, "evidence"),
      stepTimeoutMs: 3000,
    });
    const password = `pass: "w\\ord" <&> 'it' ${Math.random().toString(36).slice(2)} č`;
    const { result } = await runToEnd({ ...given, credentials: { ...given.credentials, password } }, { episodes: [makeEpisode(1)] });
    assert.equal(result.failure?.code, "site.changed");
    const evidence = await readEvidence(result.failure?.evidence ?? []);
    assert.deepEqual([...evidence.keys()], ["screenshot.png", "address.txt", "page.aria.yml"]);
    assert.match(String(evidence.get("page.aria.yml")), /textbox "Password"/);
    assertNowhere(evidence, { password });
    assert.ok(!(result.failure?.detail ?? "").includes(password));
  });

  test("of a task that came with a kept session does not hold that session", async (t) => {
    const site = await openTinySite();
    t.after(async () => site.close());
    const given = makeAssignment({
      origin: site.origin,
      driverModule: new URL("../support/tiny-driver.ts", import.meta.url).href,
      folder: await tempDir(t, "evidence"),
      stepTimeoutMs: 3000,
    });
    const { heard } = await runToEnd(given, { episodes: [] });
    site.behaviour.hangsAt = "/new";
    for (const kept of [{ session: heard.session }, { credentials: { ...given.credentials, cookie: heard.cookie } }]) {
      const { result } = await runToEnd({ ...given, ...kept }, { episodes: [makeEpisode(1)] });
      assert.equal(result.outcome, "failed");
      const evidence = await readEvidence(result.failure?.evidence ?? []);
      assert.match(String(evidence.get("trace.zip/trace.network")), /"url":"http/);
      assertNowhere(evidence, { ...cookies(heard.cookie), password: given.credentials.password });
    }
    assert.equal(site.signIns, 1);
  });

  test("of a renamed field names the field that is missing", async (t) => {
    const site = await openTinySite();
    t.after(async () => site.close());
    site.behaviour.loginPage = "renamed";
    const given = makeAssignment({
      origin: site.origin,
      driverModule: new URL("../support/tiny-driver.ts", import.meta.url).href,
      folder: await tempDir(t, "evidence"),
      stepTimeoutMs: 3000,
    });
    const { result, heard } = await runToEnd(given, { episodes: [makeEpisode(1)] });
    assert.equal(result.failure?.code, "site.changed");
    assert.match(result.failure?.detail ?? "", /tiny, signIn: .*getByLabel\('Password'\)/);
    assert.deepEqual([site.signIns, heard.judged], [0, ["unjudged"]]);
    const locator = String((await readEvidence(result.failure?.evidence ?? [])).get("locator.txt"));
    assert.match(
      locator,
      /looked for {2}getByLabel\('Password'\)\nit was {6}not there\nnearest on the page:\n {2}0\.\d\d {2}getByRole\('textbox', \{ name: 'Passphrase' \}\)/,
    );
  });
});

/** The values of `k=v; k2=v2`, by name. */
function cookies(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split("; ")
      .map((pair): [string, string] => [`cookie ${pair.split("=")[0]}`, pair.slice(pair.indexOf("=") + 1)])
      .filter(([, value]) => value.length > 8),
  );
}
