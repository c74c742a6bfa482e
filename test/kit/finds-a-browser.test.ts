import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { findBrowser, findBrowsers, type FindBrowserOptions } from "../../src/kit/find-browser.ts";

/** A machine of its own: nothing of the real one is seen. */
function machine(t: TestContext): { options: FindBrowserOptions; put: (path: string, text?: string) => string } {
  const root = mkdtempSync(join(tmpdir(), "podcrew-machine-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const options: FindBrowserOptions = { root, home: join(root, "home"), project: join(root, "project"), platform: "linux", env: {} };
  const put = (path: string, text = ""): string => {
    const whole = join(root, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, text);
    chmodSync(whole, 0o755);
    return whole;
  };
  return { options, put };
}

const revision = "home/.cache/ms-playwright/chromium_headless_shell-1255";

test("an empty machine has no browser", (t) => {
  assert.equal(findBrowser(machine(t).options), null);
});

test("PODCREW_BROWSER is the only one looked at, also when it is wrong", (t) => {
  const { options, put } = machine(t);
  put("usr/lib/chromium/chromium-headless-shell");
  const mine = put("opt/mine/my-browser");
  assert.deepEqual(
    findBrowsers({ ...options, setting: mine }).map((one) => [one.executable, one.source]),
    [[mine, "setting"]],
  );
  assert.deepEqual(findBrowsers({ ...options, setting: "/nowhere" }), []);
});

test("Playwright's own comes first, then headless-shells, then full browsers", (t) => {
  const { options, put } = machine(t);
  const full = put("usr/lib/chromium/chromium");
  const debian = put("usr/lib/chromium/chromium-headless-shell");
  const own = put(`${revision}/chrome-headless-shell-linux64/chrome-headless-shell`);
  put(`${revision}/INSTALLATION_COMPLETE`);
  assert.deepEqual(
    findBrowsers(options).map((one) => one.executable),
    [own, debian, full],
  );
  assert.equal(findBrowser({ ...options, headed: true })?.executable, full, "a headless-shell can't be shown");
});

test("the highest revision wins; an interrupted download does not count", (t) => {
  const { options, put } = machine(t);
  put(`${revision}/chrome-headless-shell-linux64/chrome-headless-shell`);
  const older = put("home/.cache/ms-playwright/chromium_headless_shell-999/chrome-linux/headless_shell");
  put("home/.cache/ms-playwright/chromium_headless_shell-999/INSTALLATION_COMPLETE");
  assert.deepEqual(
    findBrowsers(options).map((one) => one.executable),
    [older],
  );
});

test("the npm-shipped browser is the last resort, and brings its libraries' path", (t) => {
  const { options, put } = machine(t);
  const shipped = put("project/.node/browser/chromium");
  put("project/.node/browser.json", JSON.stringify({ executable: shipped, source: "npm", env: { LD_LIBRARY_PATH: "/x" } }));
  assert.deepEqual(findBrowser(options), { executable: shipped, kind: "headless-shell", source: "npm", env: { LD_LIBRARY_PATH: "/x" } });
  const debian = put("usr/lib/chromium/chromium-headless-shell");
  assert.equal(findBrowser(options)?.executable, debian);
});

test("what set-up has seen running goes before what only lies there", (t) => {
  const { options, put } = machine(t);
  put(`${revision}/chrome-headless-shell-linux64/chrome-headless-shell`);
  put(`${revision}/INSTALLATION_COMPLETE`);
  const tried = put("usr/lib/chromium/chromium-headless-shell");
  put("project/.node/browser.json", JSON.stringify({ executable: tried, source: "system" }));
  assert.equal(findBrowser(options)?.executable, tried);
});

test("on a Mac, Chrome is found among the applications", (t) => {
  const { options, put } = machine(t);
  const chrome = put("Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
  assert.equal(findBrowser({ ...options, platform: "darwin" })?.executable, chrome);
});

test("a wrapper script on the path is no browser: it stays behind when its browser is gone", (t) => {
  const { options, put } = machine(t);
  put("usr/bin/chromium", "#!/bin/sh\nexec /usr/lib/chromium/chromium\n");
  const env = { PATH: "/usr/bin" };
  assert.equal(findBrowser({ ...options, env }), null);
  const real = put("usr/bin/google-chrome", "\x7fELF");
  assert.equal(findBrowser({ ...options, env })?.executable, real);
});
