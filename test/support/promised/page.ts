import type { Line } from "./lines.ts";
import { testsByName, testsNamed } from "./tests-by-name.ts";

/** What one API promises. */
export interface PromisedTable {
  title: string;
  /** Below the book's folder, where its tests are: "" or "content/". */
  folder: string;
  /** What each tag stands for. */
  readings: Readonly<Record<string, string>>;
  coverage: Readonly<Record<string, readonly Line[]>>;
}

/** All that is promised by the tests of a folder, which has its COVERAGE.md. */
export interface PromiseBook {
  /** Of the tests. */
  folder: URL;
  /** "Every parameter, default, field, status and refusal of the manager's APIs." */
  about: string;
  tables: readonly PromisedTable[];
}

const inCell = (text: string): string => text.replaceAll("|", "\\|");

/** COVERAGE.md */
export function coveragePage({ folder: testsFolder, about, tables }: PromiseBook): string {
  const tests = testsByName(testsFolder);
  const cell = (reference: string): string =>
    testsNamed(reference, tests)
      .map(({ file, name }) => `[${file}](${file}.test.ts): ${name}`)
      .join("");
  const row = ([routes, fields, says, ...named]: Line): string =>
    `| ${[routes === "*" ? "all" : routes, fields, says, named.map(cell).join("<br>")].map(inCell).join(" | ")} |`;
  const subfolders = tables.map(({ folder }) => folder).filter((folder) => folder !== "");
  const isIn = (file: string, folder: string): boolean =>
    folder === "" ? !subfolders.some((one) => file.startsWith(one)) : file.startsWith(folder);
  /** What shows more of the same. */
  const others = (tag: string, lines: readonly Line[], folder: string): string[] => {
    const named = new Set(lines.flatMap(([, , , ...references]) => references.flatMap((reference) => testsNamed(reference, tests))));
    const more = tests.filter((one) => one.tags.includes(tag) && !named.has(one) && isIn(one.file, folder));
    return more.length > 0 ? ["Besides:", "", ...more.map(({ file, name }) => `- [${file}](${file}.test.ts): ${name}`), ""] : [];
  };
  return [
    "# What is promised, and which test shows it",
    "",
    `${about} Of a line's fields those of a body stand first, of a query`,
    'behind "?", of an answer behind "→", codes of refusals behind "!". Made from `promised/` by `npm run docs`;',
    "`all-that-is-promised-has-a-test.test.ts` holds that nothing is missing.",
    "",
    ...tables.flatMap(({ title, folder, readings, coverage }) => [
      `## ${title}`,
      "",
      ...Object.entries<readonly Line[]>(coverage).flatMap(([tag, lines]) => [
        `### ${tag}`,
        "",
        `${readings[tag]}.`,
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
