import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writeTinyDriver } from "../support/own-drivers.ts";
import { podcrew } from "../support/podcrew.ts";
import { tempDir } from "../support/temp.ts";
import { openTinySite } from "../support/tiny-site.ts";

const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

test("a new driver passes the type check and the declaration's at once, says the next step, and is never written over", async (t) => {
  const cwd = await tempDir(t, "author");
  const run = podcrew(t, ["driver", "new", "my-studio", "--origin", "https://studio.example.com/login?x=1"], { cwd });
  assert.equal(await run.ended(), 0, run.stderr());
  const folder = join(cwd, "drivers-of-mine");
  for (const name of ["my-studio.ts", "my-studio.test.ts"]) assert.match(run.stdout(), new RegExp(`wrote +drivers-of-mine/${name}`));
  assert.match(run.stdout(), /podcrew driver check drivers-of-mine\/my-studio\.ts --url https:\/\/studio\.example\.com/);
  const text = await readFile(join(folder, "my-studio.ts"), "utf8");
  assert.match(text, /origin: "https:\/\/studio\.example\.com",/);

  await promisify(execFile)(process.execPath, [tsc, "-p", folder], { timeout: 120_000 });
  const list = podcrew(t, ["driver", "list"], { cwd, env: { DRIVERS: "drivers-of-mine" } });
  assert.equal(await list.ended(), 0, list.stderr());
  assert.match(list.stdout(), /^my-studio +studio\.example\.com +drafts/m);

  for (const [args, why] of [
    [["my-studio"], /drivers-of-mine\/my-studio\.ts is there already, and nothing is written over/],
    [["podcrew-studio"], /drivers\/podcrew-studio\.ts is there already/],
    [["My Studio"], /"My Studio" is no name for a driver: .*for example my-studio/],
    [["other", "--origin", "studio.example.com"], /--origin studio\.example\.com is no address/],
  ] as const) {
    const refused = podcrew(t, ["driver", "new", ...args], { cwd, env: { DRIVERS: "drivers-of-mine" } });
    assert.equal(await refused.ended(), 2);
    assert.match(refused.stderr(), why);
  }
  assert.equal(await readFile(join(folder, "my-studio.ts"), "utf8"), text);
  assert.ok(!existsSync(join(folder, "other.ts")));
});

const account = { email: "me@example.com", password: "pass-Word-1!" };

async function author(
  t: TestContext,
): Promise<{ site: Awaited<ReturnType<typeof openTinySite>>; cwd: string; check(more?: string[]): ReturnType<typeof podcrew> }> {
  const site = await openTinySite();
  t.after(async () => site.close());
  site.behaviour.password = account.password;
  const cwd = await tempDir(t, "author");
  await mkdir(join(cwd, "own"));
  await writeTinyDriver(join(cwd, "own"));
  await writeFile(join(cwd, "account.json"), JSON.stringify(account));
  const env = { PODCREW_DATA: join(cwd, "data") };
  return {
    site,
    cwd,
    check: (more = ["--url", site.origin, "--account", "account.json"]) =>
      podcrew(t, ["driver", "check", "own/tiny.ts", ...more], { cwd, env }),
  };
}

test("check says each promise that is kept, and publishes one episode", async (t) => {
  const { site, check } = await author(t);
  const run = check();
  assert.equal(await run.ended(120_000), 0, run.stdout() + run.stderr());
  assert.match(run.stdout(), /✓ publishes by exactly one request/);
  assert.match(run.stdout(), /- discards a draft {2}skipped: the driver can't discard/);
  assert.match(run.stdout(), /^6 promises kept, 0 broken, 5 skipped$/m);
  assert.equal(site.episodes.filter(({ published }) => published).length, 1);
});

test("check says which promise is broken and what was seen instead, with a picture; what follows from it is not tried", async (t) => {
  const { site, cwd, check } = await author(t);
  await writeTinyDriver(join(cwd, "own"), (text) =>
    text.replace('getByLabel("Marker")', 'getByLabel("Markers")').replace('name: "Save"', 'name: "Keep"'),
  );
  const run = check();
  assert.equal(await run.ended(120_000), 1, run.stderr());
  assert.match(
    run.stdout(),
    /✗ makes one draft.*\n +locator\.waitFor: Timeout .*\n +looked for {2}getByLabel\('Markers'\)\n +it was {6}not there\n.*\n +0\.\d\d {2}getByRole\('textbox', \{ name: 'Marker' \}\)/,
  );
  const picture = /screenshot +(\S+\.png)/.exec(run.stdout())?.[1] ?? "";
  assert.equal((await readFile(picture)).toString("latin1", 1, 4), "PNG");
  assert.match(run.stdout(), /- publishes by exactly one request.*skipped: it could not make a draft/);
  assert.match(run.stdout(), /^2 promises kept, 1 broken, 8 skipped$/m);
  assert.ok(!(run.stdout() + run.stderr()).includes(account.password));
  assert.equal(site.episodes.length, 0);
});

test("check tries a refused password once", async (t) => {
  const { site, cwd, check } = await author(t);
  await writeFile(join(cwd, "account.json"), JSON.stringify({ ...account, password: "demo-password-of-last-year" }));
  const run = check();
  assert.equal(await run.ended(120_000), 1, run.stderr());
  assert.match(run.stdout(), /✗ knows that it is not signed in.*\n +.*The password is wrong/);
  assert.equal(site.signIns, 1);
});

test("check asks for what it lacks in one sentence", async (t) => {
  const { cwd, site, check } = await author(t);
  await writeFile(join(cwd, "bad.json"), JSON.stringify({ mail: "x" }));
  for (const [more, why] of [
    [[], /There is no test beside own\/tiny\.ts .*--url https:\/\/… --account account\.json/],
    [["--url", "site"], /--url site is no address/],
    [["--url", site.origin, "--account", "none.json"], /The account file none\.json can't be read \(ENOENT\)\. It looks like \{ "email"/],
    [["--url", site.origin, "--account", "bad.json"], /The account file bad\.json has a problem: Unrecognized key: "mail"/],
  ] as const) {
    const run = check([...more]);
    assert.equal(await run.ended(), 2, run.stdout());
    assert.match(run.stderr(), why);
  }
});
