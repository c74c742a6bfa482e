import { contentReadings } from "../content/content-readings.ts";
import { backlinkReadings, commonReadings, readings } from "../readings.ts";
import { accountCoverage } from "./accounts.ts";
import { commonCoverage } from "./common.ts";
import { contentCoverage } from "./content.ts";
import type { Coverage, Line } from "./lines.ts";
import { requestCoverage } from "./requests.ts";
import { testsByName, type NamedTest } from "./tests-by-name.ts";
import { workerCoverage } from "./worker.ts";

const backlinkCoverage: Coverage<keyof typeof backlinkReadings> = { ...accountCoverage, ...requestCoverage };

/** Everything that the manager promises, by API. */
export const tables = [
  { title: "Podcast worker API", folder: "", readings, coverage: workerCoverage },
  { title: "Backlink API", folder: "", readings: backlinkReadings, coverage: backlinkCoverage },
  { title: "Content API", folder: "content/", readings: contentReadings, coverage: contentCoverage },
  { title: "All routes", folder: "", readings: commonReadings, coverage: commonCoverage },
] as const satisfies { title: string; folder: string; readings: Record<string, string>; coverage: Record<string, readonly Line[]> }[];

/** @returns the tests that a line's reference names: one, unless it is wrong */
export function testsNamed(reference: string, tests: readonly NamedTest[]): NamedTest[] {
  const [file = "", start = ""] = reference.split(": ", 2);
  const rest = reference.slice(file.length + 2);
  return start === "" ? [] : tests.filter((test) => test.file === file && test.name.startsWith(rest));
}

const inCell = (text: string): string => text.replaceAll("|", "\\|");

/** COVERAGE.md */
export function coveragePage(): string {
  const tests = testsByName();
  const cell = (reference: string): string =>
    testsNamed(reference, tests)
      .map(({ file, name }) => `[${file}](${file}.test.ts): ${name}`)
      .join("");
  const row = ([routes, fields, says, ...named]: Line): string =>
    `| ${[routes === "*" ? "all" : routes, fields, says, named.map(cell).join("<br>")].map(inCell).join(" | ")} |`;
  /** What shows more of the same. */
  const others = (tag: string, lines: readonly Line[], folder: string): string[] => {
    const named = new Set(lines.flatMap(([, , , ...references]) => references.flatMap((reference) => testsNamed(reference, tests))));
    const more = tests.filter((one) => one.tags.includes(tag) && !named.has(one) && one.file.startsWith("content/") === (folder !== ""));
    return more.length > 0 ? ["Besides:", "", ...more.map(({ file, name }) => `- [${file}](${file}.test.ts): ${name}`), ""] : [];
  };
  return [
    "# What is promised, and which test shows it",
    "",
    "Every parameter, default, field, status and refusal of the manager's APIs. Of a line's fields those of a body stand first, of a query",
    'behind "?", of an answer behind "→", codes of refusals behind "!". Made from `promised/` by `npm run docs`;',
    "`all-that-is-promised-has-a-test.test.ts` holds that nothing is missing.",
    "",
    ...tables.flatMap(({ title, folder, readings: texts, coverage }) => [
      `## ${title}`,
      "",
      ...Object.entries<readonly Line[]>(coverage).flatMap(([tag, lines]) => [
        `### ${tag}`,
        "",
        `${(texts as Record<string, string>)[tag]}.`,
        "",
        "| routes | fields | promise | tests |",
        "|---|---|---|---|",
        ...lines.map(row),
        "",
        ...others(tag, lines, folder),
      ]),
    ]),
  ].join("\n");
}
