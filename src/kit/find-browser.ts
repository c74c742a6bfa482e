import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Finds a Chromium on this machine. Node's own modules only: the set-up runs this file before anything is installed
 * (`node src/kit/find-browser.ts` prints the finds as one JSON line, best first).
 */
export interface FoundBrowser {
  /** Absolute path. */
  executable: string;
  /** Headless-shell costs half of the full browser, and can't be shown. */
  kind: "headless-shell" | "full";
  /** `npm`: the dated one that set-up falls back to; for tests and first runs, never for real accounts. */
  source: "setting" | "playwright" | "system" | "npm";
  /** Variables that its process needs. */
  env: Record<string, string>;
}

export interface FindBrowserOptions {
  /** PODCREW_BROWSER: nothing else is looked at when it is given. */
  setting?: string | undefined;
  env?: NodeJS.ProcessEnv;
  platform?: NodeJS.Platform;
  /** Stands before every absolute path; for tests. */
  root?: string;
  home?: string;
  /** The project or package folder; set-up keeps its finds in its `.node`. */
  project?: string;
}

/** Real executables, not Debian's shell wrappers in /usr/bin: a wrapper hides the process that we must be able to end. */
const systemPlaces = {
  linux: [
    "/usr/lib/chromium/chromium-headless-shell",
    "/usr/lib64/chromium-browser/headless_shell",
    "/opt/chrome-headless-shell/chrome-headless-shell",
    "/usr/lib/chromium/chromium",
    "/usr/lib64/chromium-browser/chromium-browser",
    "/opt/google/chrome/chrome",
  ],
  darwin: ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"],
} as const;
const namesOnPath = ["chrome-headless-shell", "headless_shell", "google-chrome-stable", "google-chrome", "chromium"];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function kindOf(executable: string): FoundBrowser["kind"] {
  return /headless[-_]shell[^/]*$/.test(executable) ? "headless-shell" : "full";
}

function playwrightCache(env: NodeJS.ProcessEnv, home: string, platform: NodeJS.Platform, project: string): string {
  const set = env["PLAYWRIGHT_BROWSERS_PATH"];
  if (set === "0") return join(project, "node_modules/playwright-core/.local-browsers");
  if (set) return resolve(set);
  return platform === "darwin"
    ? join(home, "Library/Caches/ms-playwright")
    : join(env["XDG_CACHE_HOME"] ?? join(home, ".cache"), "ms-playwright");
}

/** Half-downloaded folders lack Playwright's marker. Highest revision first. */
function inPlaywrightCache(cache: string): string[] {
  const folders = list(cache).filter(
    (name) => /^chromium(_headless_shell)?-\d+$/.test(name) && existsSync(join(cache, name, "INSTALLATION_COMPLETE")),
  );
  const revision = (name: string): number => Number(name.slice(name.lastIndexOf("-") + 1));
  return folders
    .sort((a, b) => revision(b) - revision(a))
    .flatMap((name) =>
      list(join(cache, name)).flatMap((inner) =>
        [
          "chrome-headless-shell",
          "headless_shell",
          "chrome",
          "Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
          "Chromium.app/Contents/MacOS/Chromium",
        ].map((file) => join(cache, name, inner, file)),
      ),
    );
}

/** `@puppeteer/browsers` and Puppeteer share one layout: name/platform-version/folder/executable. */
function inPuppeteerCache(cache: string): string[] {
  return ["chrome-headless-shell", "chrome"].flatMap((name) =>
    list(join(cache, name)).flatMap((version) =>
      list(join(cache, name, version)).map((folder) => join(cache, name, version, folder, name)),
    ),
  );
}

/** Snap's launchers are confined: they can't reach our temporary folders. */
function onPath(env: NodeJS.ProcessEnv, root: string): string[] {
  const folders = (env["PATH"] ?? "").split(delimiter).filter(Boolean);
  return namesOnPath
    .flatMap((name) => folders.map((folder) => join(root, folder, name)))
    .filter((path) => isExecutable(path) && !/snap/.test(realpathSync(path)) && !isScript(path));
}

/** Debian's wrapper stays behind when its browser is gone, and hides the process that we must be able to end. */
function isScript(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(2);
    return readSync(file, head, 0, 2, 0) === 2 && head.toString() === "#!";
  } finally {
    closeSync(file);
  }
}

interface SetupNote {
  executable: string;
  source: FoundBrowser["source"];
  env?: Record<string, string>;
}

/** What set-up has started once and seen running. */
function noted(project: string): FoundBrowser[] {
  try {
    const note = JSON.parse(readFileSync(join(project, ".node/browser.json"), "utf8")) as SetupNote;
    return [
      {
        executable: note.executable,
        kind: note.source === "npm" ? "headless-shell" : kindOf(note.executable),
        source: note.source,
        env: note.env ?? {},
      },
    ];
  } catch {
    return [];
  }
}

function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** Every usable browser, best first: what set-up has tried, headless-shells, full ones, the npm-shipped one. */
export function findBrowsers(options: FindBrowserOptions = {}): FoundBrowser[] {
  const { env = process.env, platform = process.platform, root = "/", home = homedir(), project = projectFolder() } = options;
  if (options.setting)
    return isExecutable(options.setting)
      ? [{ executable: resolve(options.setting), kind: kindOf(options.setting), source: "setting", env: {} }]
      : [];
  const from = (source: FoundBrowser["source"], paths: readonly string[]): FoundBrowser[] =>
    paths.map((executable) => ({ executable, kind: kindOf(executable), source, env: {} }));
  const places = platform === "darwin" ? systemPlaces.darwin : systemPlaces.linux;
  const [tried] = noted(project);
  const found = [
    ...from("playwright", inPlaywrightCache(playwrightCache(env, home, platform, project))),
    ...from(
      "system",
      places.map((path) => join(root, path)),
    ),
    ...from("system", inPuppeteerCache(join(home, ".cache/puppeteer"))),
    ...from("system", onPath(env, root)),
  ];
  const all = [
    ...(tried && tried.source !== "npm" ? [tried] : []),
    ...found.filter((one) => one.kind === "headless-shell"),
    ...found.filter((one) => one.kind === "full"),
    ...(tried?.source === "npm" ? [tried] : []),
  ];
  const seen = new Set<string>();
  return all.filter((one) => !seen.has(one.executable) && Boolean(seen.add(one.executable)) && isExecutable(one.executable));
}

/**
 * The browser to use, or null when there is none.
 * @param options.headed a full browser that can be shown; the setting is taken as it is
 */
export function findBrowser(options: FindBrowserOptions & { headed?: boolean } = {}): FoundBrowser | null {
  return findBrowsers(options).find((one) => !options.headed || one.kind === "full" || one.source === "setting") ?? null;
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(findBrowsers({ setting: process.env["PODCREW_BROWSER"] || undefined }))}\n`);
