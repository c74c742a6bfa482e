import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import { findBrowser } from "../../src/kit/find-browser.ts";

const executable = ["/usr/bin/Xvfb", "/usr/local/bin/Xvfb"].find((path) => existsSync(path));

/** Why tests with a window can't run here; null: they can. */
export const screenMissing: string | null = !executable
  ? "SKIPPED: no screen to draw on. Install one: apt-get install --no-install-recommends xvfb"
  : findBrowser({ setting: process.env["PODCREW_BROWSER"] || undefined, headed: true })
    ? null
    : "SKIPPED: no full Chromium on this machine. Install it: apt-get install chromium";

/** A screen that nobody sees, on a free display; DISPLAY says so to this process until the test has ended. */
export async function givenScreen(t: TestContext): Promise<void> {
  if (!executable) throw new Error(screenMissing ?? "no Xvfb");
  const child = spawn(executable, ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const before = process.env["DISPLAY"];
  t.after(async () => {
    if (before === undefined) delete process.env["DISPLAY"];
    else process.env["DISPLAY"] = before;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit", { signal: AbortSignal.timeout(10_000) }).catch(() => child.kill("SIGKILL"));
  });
  const [number] = (await once(child.stdio[3] as NodeJS.ReadableStream, "data", { signal: AbortSignal.timeout(15_000) })) as [Buffer];
  process.env["DISPLAY"] = `:${number.toString().trim()}`;
}
