import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { z } from "zod";
import { pinSecrets } from "./redact.ts";
import { settings, type Setting } from "./settings.ts";

export type Config = { readonly [K in keyof typeof settings]: z.output<(typeof settings)[K]["schema"]> };

/** A problem with what the user gave us: one clear text, no stack. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * @param flags settings by name as given on the command line; undefined ones count as not given
 * @param env "" counts as not given
 * @throws UsageError naming every bad setting, where it came from and an example
 */
export async function loadConfig(
  flags: Record<string, unknown> = {},
  env: NodeJS.ProcessEnv = process.env,
  cwd = process.cwd(),
): Promise<Config> {
  const file = await readFile(cwd);
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, setting] of Object.entries<Setting>(settings)) {
    const { value, origin } = pick(name, setting, flags, env, file);
    const parsed = setting.schema.safeParse(value);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(complain(setting, value, origin, parsed.error));
    if (setting.secret && typeof value === "string") hide(value);
  }
  if (problems.length > 0) {
    throw new UsageError(
      `The configuration has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n${problems.join("\n")}`,
    );
  }
  values["data"] = resolve(cwd, values["data"] as string);
  return values as Config;
}

interface Given {
  value: unknown;
  /** Where a person finds it. */
  origin: string;
}

interface ConfigFile {
  name: string;
  values: Record<string, unknown>;
}

function pick(name: string, { env: variable }: Setting, flags: Record<string, unknown>, env: NodeJS.ProcessEnv, file: ConfigFile): Given {
  if (flags[name] !== undefined)
    return { value: flags[name], origin: `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}` };
  if (env[variable]) return { value: env[variable], origin: variable };
  return { value: file.values[name], origin: `${name} in ${file.name}` };
}

function complain({ env, say, example, secret }: Setting, value: unknown, origin: string, error: z.ZodError): string {
  const shown = secret ? "" : `=${typeof value === "string" ? value : JSON.stringify(value)}`;
  const reasons = new Set(error.issues.map((issue) => issue.message));
  return `  ${origin}${shown}: ${[...reasons].join("; ")} (${say}; for example ${env}=${example})`;
}

/** A whole key, or the password within an address. */
function hide(value: string): void {
  if (!value.includes("://")) return void pinSecrets(value);
  const { password = "" } = URL.parse(value) ?? {};
  pinSecrets(password, URL.canParse(value) ? decodeURIComponent(password) : null);
}

const FILES = ["podcrew.config.ts", "podcrew.config.js", "podcrew.config.json"];

async function readFile(cwd: string): Promise<ConfigFile> {
  const name = FILES.find((candidate) => existsSync(resolve(cwd, candidate)));
  if (!name) return { name: "podcrew.config", values: {} };
  const values = await importDefault(resolve(cwd, name)).catch((error: Error) => {
    throw new UsageError(`${name} can't be read: ${error.message}`, { cause: error });
  });
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new UsageError(
      `${name} does not hold settings. It looks like ${name.endsWith(".json") ? '{ "concurrency": 2 }' : "export default { concurrency: 2 };"}`,
    );
  }
  const unknown = Object.keys(values).filter((key) => !Object.hasOwn(settings, key));
  if (unknown.length > 0)
    throw new UsageError(`${name}: unknown setting ${unknown.join(", ")}. Known are: ${Object.keys(settings).join(", ")}.`);
  return { name, values: values as Record<string, unknown> };
}

async function importDefault(path: string): Promise<unknown> {
  const options = path.endsWith(".json") ? { with: { type: "json" } } : {};
  return ((await import(pathToFileURL(path).href, options)) as { default: unknown }).default;
}
