import type { BrowserSettings } from "../contract/task.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { findBrowser } from "../kit/find-browser.ts";

/** None of them hides automation: they keep the browser from talking to anybody but the site. */
const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic"];

/** Which browser the workers launch. `executablePath` is null when there is none on this machine. */
export async function browserSettings(config: Config, slowMoMs = 0): Promise<BrowserSettings> {
  const headless = findBrowser({ setting: config.browser });
  const headed = findBrowser({ setting: config.browser, headed: true });
  return {
    executablePath: headless?.executable ?? null,
    headedExecutablePath: headed?.executable ?? null,
    headed: config.headed,
    sandbox: process.getuid?.() !== 0,
    wsEndpoint: config.browserWs ?? null,
    slowMoMs,
    env: (config.headed ? headed : headless)?.env ?? {},
    args: quiet,
  };
}

/** @throws UsageError naming what mends it */
export async function requireBrowser(config: Config, slowMoMs = 0): Promise<BrowserSettings> {
  const settings = await browserSettings(config, slowMoMs);
  if (settings.wsEndpoint) return settings;
  if (config.browser && !settings.executablePath)
    throw new UsageError(
      `PODCREW_BROWSER=${config.browser} is not a program that can be run. Name a Chromium executable, or leave it out.`,
    );
  if (!settings.executablePath)
    throw new UsageError(
      "There is no Chromium on this machine. `npm start` or `node scripts/setup.mjs` brings one; PODCREW_BROWSER names one of your own.",
    );
  if (settings.headed && !settings.headedExecutablePath)
    throw new UsageError(
      "A headed run needs a full Chromium, and only a headless one is here. Install one (Debian: apt-get install chromium), or name it by PODCREW_BROWSER.",
    );
  if (settings.headed && !process.env["DISPLAY"] && !process.env["WAYLAND_DISPLAY"] && process.platform === "linux")
    throw new UsageError(
      "A headed run needs a screen, and DISPLAY is not set. Run it on a desktop, or under one made for it: xvfb-run podcrew …",
    );
  return settings;
}
