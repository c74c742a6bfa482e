import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { styleText } from "node:util";
import { z } from "zod";
import { UsageError, type Config } from "../../kit/config.ts";
import { requireBrowser } from "../browser.ts";
import { podcrewCommand, shownPath } from "./names.ts";
import { recordedDriver, recordedVerbs, stepsOf, type Recording, type RecordedVerb } from "./recorded.ts";

const har = z.object({
  log: z.object({
    entries: z.array(z.object({ startedDateTime: z.string(), request: z.object({ method: z.string(), url: z.string() }) })),
  }),
});
const prompts: Readonly<Record<RecordedVerb, string>> = {
  signIn: "Sign in, in the window that opens. Then press Enter here.",
  draft: "Now make an episode, up to the last button, but do not publish it. Then press Enter here.",
  publish: "Now publish it (only on a show without listeners), or just close the window.",
};

/**
 * Playwright's recorder, turned into a driver to start from. The person presses Enter between signing in, drafting and
 * publishing. What is typed while signing in is not kept. @returns 0  @throws UsageError
 */
export async function record(config: Config, url: string, site: string | undefined): Promise<number> {
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new UsageError(`${url} is no address (for example https://studio.example.com).`);
  const { origin, hostname } = new URL(url);
  const name = site ?? hostname.replaceAll(/^(www|app|studio|host)\.|\.[a-z]+$/g, "").replaceAll(/[^a-z0-9]+/g, "-");
  const file = join(resolve(config.drivers ?? "drivers-of-mine"), `${name}.ts`);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) throw new UsageError(`"${name}" is no name for a driver. Give one: --site my-studio`);
  if (existsSync(file))
    throw new UsageError(`${shownPath(file)} is there already, and nothing is written over. Choose another name: --site my-studio`);
  const browser = await requireBrowser({ ...config, headed: true });
  // Passwords are typed there: for nobody else to read, and gone at the end.
  const folder = await mkdtemp(join(tmpdir(), "podcrew-record-"));
  try {
    const recording = await watch(url, folder, browser.headedExecutablePath, browser.env, config.locale);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, recordedDriver(name, origin, recording), { flag: "wx" });
    const counts = `${recording.lines.length} steps, ${recording.requests.length} requests after "publish"`;
    process.stdout.write(
      `${styleText("green", "wrote")}  ${shownPath(file)}  ${styleText("dim", counts)}\nRead it from the top: find, feed and the ids are still to be filled in. Then: ${styleText("cyan", `${podcrewCommand()} driver rehearse ${name} --account account.json`)}\n`,
    );
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function watch(
  url: string,
  folder: string,
  executable: string | null,
  env: Record<string, string>,
  locale: string,
): Promise<Recording> {
  const [script, requests] = [join(folder, "script.js"), join(folder, "requests.har")];
  const cli = join(dirname(createRequire(import.meta.url).resolve("playwright/package.json")), "cli.js");
  const args = [cli, "codegen", "--target=javascript", `--output=${script}`, `--save-har=${requests}`, `--lang=${locale}`, url];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...env, ...(executable && { PWTEST_CLI_EXECUTABLE_PATH: executable }) },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
  const steps = async (): Promise<string[]> => stepsOf(await readFile(script, "utf8").catch(() => ""));
  const marks: Recording["marks"] = {};
  let publishAt = Number.POSITIVE_INFINITY;
  let at = 0;
  const prompt = (): void => void process.stdout.write(`${styleText("bold", `${at + 1}/3`)} ${prompts[recordedVerbs[at] ?? "publish"]}\n`);
  const entered = createInterface({ input: process.stdin });
  entered.on("line", () => {
    if (at >= recordedVerbs.length - 1) return;
    at += 1;
    const verb = recordedVerbs[at] as RecordedVerb;
    if (verb === "publish") publishAt = Date.now();
    void steps().then((lines) => (marks[verb] = lines.length));
    prompt();
  });
  prompt();
  const [code] = (await once(child, "exit")) as [number | null];
  entered.close();
  const lines = await steps();
  if (lines.length === 0) throw new UsageError(`Nothing was recorded${code ? `: the recorder ended with ${code}` : ""}.`);
  return { lines, marks, requests: await changing(requests, publishAt, new URL(url).hostname) };
}

/** Requests that changed something on the site since then, in their order. */
async function changing(path: string, since: number, hostname: string): Promise<Recording["requests"]> {
  const parsed = har.safeParse(JSON.parse(await readFile(path, "utf8").catch(() => "null")));
  if (!parsed.success) return [];
  const domain = hostname.split(".").slice(-2).join(".");
  return parsed.data.log.entries
    .filter(({ startedDateTime, request }) => Date.parse(startedDateTime) >= since && !["GET", "HEAD", "OPTIONS"].includes(request.method))
    .map(({ request: { method, url } }) => ({ method, url: url.replace(/[?#].*$/, "") }))
    .filter(({ url }) => new URL(url).hostname.endsWith(domain));
}
