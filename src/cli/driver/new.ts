import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import { UsageError, type Config } from "../../kit/config.ts";
import { driverModules } from "../drivers.ts";
import { styled, table } from "../table.ts";
import { podcrewCommand, shownPath } from "./names.ts";
import { driverText, testText, tsconfigText } from "./scaffold.ts";

const DEFAULT_FOLDER = "drivers-of-mine";
const folderOfPackage = fileURLToPath(new URL("../../../", import.meta.url));

/** Writes a driver to start from. Nothing that is there is written over. @returns 0  @throws UsageError */
export async function newDriver(config: Config, site: string, origin: string | undefined): Promise<number> {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(site))
    throw new UsageError(`"${site}" is no name for a driver: lower case, digits and dashes, for example my-studio.`);
  if (origin !== undefined && (!URL.canParse(origin) || !/^https?:/.test(origin)))
    throw new UsageError(`--origin ${origin} is no address (for example --origin https://studio.example.com).`);
  const folder = resolve(config.drivers ?? DEFAULT_FOLDER);
  const twin = (existsSync(folder) ? driverModules(config) : driverModules({ ...config, drivers: undefined }))
    .map((module) => fileURLToPath(module))
    .find((path) => basename(path).replace(/\.\w+$/, "") === site);
  const files = [
    { name: `${site}.ts`, text: driverText(site, origin ? new URL(origin).origin : `https://${site}.example.com`), is: "the driver" },
    { name: `${site}.test.ts`, text: testText(site), is: "its test" },
  ];
  const there = twin ?? files.map(({ name }) => join(folder, name)).find((path) => existsSync(path));
  if (there)
    throw new UsageError(`${shownPath(there)} is there already, and nothing is written over. Choose another name, or change that one.`);
  if (!existsSync(join(folder, "tsconfig.json")))
    files.push({ name: "tsconfig.json", text: typesOf(folder), is: "types, for your editor and tsc" });

  await mkdir(folder, { recursive: true });
  for (const { name, text } of files) await writeFile(join(folder, name), text, { flag: "wx" });
  say(config, folder, site, files, origin);
  return 0;
}

/** In the repository the sources say the types, in the package what was made of them. */
function typesOf(folder: string): string {
  const near = (path: string): string => {
    const way = relative(folder, path);
    return /^\.\.?\//.test(way) ? way : `./${way}`;
  };
  const isSource = import.meta.url.endsWith(".ts");
  const types = join(folderOfPackage, isSource ? "src/driver/index.ts" : "src/driver/index.d.ts");
  const typeRoot = join(isSource ? folderOfPackage : dirname(folderOfPackage), "node_modules/@types");
  return tsconfigText(near(types), existsSync(join(typeRoot, "node")) ? near(typeRoot) : null);
}

function say(
  config: Config,
  folder: string,
  site: string,
  files: readonly { name: string; is: string }[],
  origin: string | undefined,
): void {
  const file = shownPath(join(folder, `${site}.ts`));
  const [command, run] = [podcrewCommand(), (text: string): string => styleText("cyan", text)];
  const lines = [
    table(files.map(({ name, is }) => [styled("green", "wrote"), shownPath(join(folder, name)), styled("dim", is)])),
    "",
    "Next:",
    `  1. ${origin ? "" : "Put the site's address into `origin`. "}Put an account for trying into account.json: { "email": "me@example.com", "password": "demo-password" }`,
    `  2. Fill in ${file} from the top: each verb says what it promises. Try as you go; nothing is published:`,
    `     ${run(`DRIVERS=${shownPath(folder)} ${command} driver rehearse ${site} --account account.json`)}`,
    `  3. Hold it to all promises, on a twin of the site or a show without listeners; this publishes one episode:`,
    `     ${run(`${command} driver check ${file} --url ${origin ?? "https://…"} --account account.json`)}`,
    ...(config.drivers ? [] : [`  4. Let the farm know it: ${run(`DRIVERS=${shownPath(folder)}`)}`]),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
