import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { failures } from "../src/contract/failures.ts";
import { settings } from "../src/kit/settings.ts";
import { taskPromises } from "../test/coordinator/tasks/promised/table.ts";
import { managerPromises } from "../test/manager/promised/table.ts";
import { podopsPromises } from "../test/studio/podops/promised/table.ts";
import { coveragePage } from "../test/support/promised/page.ts";
import { reasons } from "./dependencies.ts";

/**
 * The tables of the documentation that repeat what code says: `src/FAILURES.md`, the `COVERAGE.md` of each API's tests, and in README.md
 * what stands between `<!-- settings -->` or `<!-- dependencies -->` and the next `<!-- end -->`. Written by `npm run docs`, held by a test.
 */
const project = new URL("..", import.meta.url);
/** Each has its COVERAGE.md beside its tests. */
const promises = [managerPromises, podopsPromises, taskPromises];

function read(path: string): string {
  return readFileSync(new URL(path, project), "utf8");
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), `|${heads.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

const retries = { never: "no: the same input fails again", later: "yes, later", person: "after a person looked" } as const;

export function failuresPage(): string {
  const rows = Object.entries(failures).map(([code, { blame, retry, say }]) => [`\`${code}\``, blame, retries[retry], say]);
  return [
    "# Failures",
    "",
    "Every way in which a task can end other than posted. The code stands in the log, in the manager and in `podcrew status`;",
    "the sentence beside it says what happened and what to do. Made from `src/contract/failures.ts` by `npm run docs`.",
    "",
    table(["code", "who has to act", "tried again", "what it says"], rows),
    "",
  ].join("\n");
}

export function settingsTable(): string {
  const rows = Object.entries(settings).map(([name, { env, schema, say, example }]) => {
    const parsed = schema.safeParse(undefined);
    // What depends on the machine or the terminal can't stand in a page.
    const value: unknown = ["timeZone", "logFormat"].includes(name) ? "by this machine" : parsed.success ? parsed.data : undefined;
    const shown =
      value === undefined || typeof value === "object"
        ? ""
        : typeof value === "string" && value.startsWith("by ")
          ? value
          : `\`${JSON.stringify(value).replaceAll('"', "")}\``;
    return [`\`${env}\``, `\`${name}\``, say, shown, `\`${example}\``];
  });
  return table(["environment", "in podcrew.config", "what", "default", "example"], rows);
}

export function dependenciesTable(): string {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read("package.json")) as Record<
    string,
    Record<string, string>
  >;
  const rows = (list: Record<string, string> = {}): string[][] =>
    Object.entries(list).map(([name, version]) => [name, version, reasons[name] ?? "?"]);
  return [
    table(["package", "version", "what for"], [...rows(dependencies), ...rows(optionalDependencies)]),
    "",
    "To develop:",
    "",
    table(["package", "version", "what for"], rows(devDependencies)),
  ].join("\n");
}

/** @returns README.md with its made tables up to date */
export function freshReadme(text: string): string {
  const made = { settings: settingsTable(), dependencies: dependenciesTable() };
  return text.replaceAll(
    /(<!-- (settings|dependencies) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, start: string, name: keyof typeof made, end: string) => `${start}\n${made[name]}\n\n${end}`,
  );
}

if (import.meta.main) {
  writeFileSync(new URL("src/FAILURES.md", project), failuresPage());
  const readme = read("README.md");
  writeFileSync(new URL("README.md", project), freshReadme(readme));
  for (const book of promises) writeFileSync(new URL("COVERAGE.md", book.folder), coveragePage(book));
  process.stdout.write(
    `${fileURLToPath(new URL("src/FAILURES.md", project))}, every COVERAGE.md and the tables of README.md are up to date\n`,
  );
}
