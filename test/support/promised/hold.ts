import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ApiRoute } from "../../../src/contract/api-route.ts";
import { fieldsOf, fits, readFields, type Fields } from "./fields.ts";
import type { Line } from "./lines.ts";
import { coveragePage, type PromiseBook } from "./page.ts";
import { testsByName, testsNamed } from "./tests-by-name.ts";

export interface Held {
  book: PromiseBook;
  /** All that is answered. */
  routes: readonly (ApiRoute<string> & { name: string })[];
  /** Tags of what holds of all routes alike: their tests may show any line. */
  common: Readonly<Record<string, string>>;
  /** How many rows each text has, by its letter. */
  rows: Readonly<Record<string, number>>;
  /** Of these the text says what fields are, not what can be called. */
  fieldRows: readonly string[];
  /** All refusals by their codes; none where an API has no codes. */
  codes: readonly string[];
  /** Nobody is promised what nobody foresaw. */
  unpromised?: readonly string[];
}

const list = (problems: Iterable<string>): string => [...problems].join("\n");

/** Tests that all that is promised has its line, and each line a test that is there. */
export function holdPromises({ book, routes, common, rows, fieldRows, codes, unpromised = [] }: Held): void {
  const { tables } = book;
  const tests = testsByName(book.folder);
  const all = tables.flatMap(({ coverage }) =>
    Object.entries<readonly Line[]>(coverage).flatMap(([tag, lines]) => lines.map((line) => ({ tag, line }))),
  );
  const isCommon = (tag: string): boolean => Object.hasOwn(common, tag);
  const subfolders = tables.map(({ folder }) => folder).filter((folder) => folder !== "");
  /** The lines that speak of a route. */
  const linesOf = (name: string): Fields[] =>
    all.filter(({ line: [names] }) => names === "*" || names.split(" ").includes(name)).map(({ line: [, fields] }) => readFields(fields));

  test("every row and every reading has lines, every line a test, and the test carries the tag of the line", () => {
    const problems: string[] = [];
    for (const { title, folder, readings, coverage } of tables) {
      assert.deepEqual(Object.keys(coverage).sort(), Object.keys(readings).sort(), title);
      for (const [tag, lines] of Object.entries<readonly Line[]>(coverage))
        for (const [, , says, ...references] of lines)
          for (const reference of references) {
            const [found, ...others] = testsNamed(reference, tests);
            if (!found || others.length > 0) problems.push(`${tag}: ${found ? "several tests are" : "no test is"} named ${reference}`);
            else if (!(found.file.startsWith(folder) && found.tags.includes(tag)) && !found.tags.some(isCommon))
              problems.push(`${tag} (${says}): ${reference} does not carry the tag`);
          }
    }
    assert.equal(list(problems), "");
  });

  test("every tag of a test is one of the readings", () => {
    const problems: string[] = [];
    for (const one of tests) {
      const own = subfolders.find((folder) => one.file.startsWith(folder)) ?? "";
      const known = new Set(tables.filter(({ folder }) => folder === own).flatMap(({ readings }) => Object.keys(readings)));
      for (const tag of one.tags) if (!known.has(tag)) problems.push(`${one.file}: [${tag}] is no reading`);
    }
    assert.equal(list(problems), "");
  });

  test("every parameter, default and field of every route stands in a line, and no line has another", () => {
    const problems: string[] = [];
    const names = new Set(routes.map(({ name }) => name));
    for (const route of routes) {
      const lines = linesOf(route.name);
      for (const [part, fields] of Object.entries(fieldsOf(route)) as [keyof Fields, string[]][])
        for (const field of fields)
          if (!lines.some((line) => line[part].some((pattern) => fits(pattern, field))))
            problems.push(`${route.name}: no line has its ${part} ${field}`);
    }
    for (const { tag, line } of all) {
      const [said, fields] = line;
      const { codes: _codes, ...parts } = readFields(fields);
      const unknown = said.split(" ").filter((name) => name && name !== "*" && !names.has(name));
      problems.push(...unknown.map((name) => `${tag}: there is no route ${name}`));
      const about = routes.filter(({ name }) => said === "*" || said.split(" ").includes(name)).map(fieldsOf);
      for (const [part, patterns] of Object.entries(parts) as [keyof typeof parts, string[]][])
        for (const pattern of patterns)
          if (!about.some((one) => one[part].some((field) => fits(pattern, field))))
            problems.push(`${tag}: ${said} has no ${part} ${pattern}`);
    }
    assert.equal(list(problems), "");
  });

  test("every row of the texts is a route's, and every refusal stands in a line", () => {
    const served = new Set(routes.map(({ row }) => row).filter((row) => row !== undefined));
    const letters = Object.keys(rows).join("");
    const tags = tables.flatMap(({ coverage }) => Object.keys(coverage)).filter((tag) => new RegExp(`^[${letters}]\\d+$`).test(tag));
    assert.deepEqual([...new Set([...served, ...fieldRows])].sort(), [...new Set(tags)].sort());
    for (const [api, count] of Object.entries(rows)) assert.equal(tags.filter((tag) => tag.startsWith(api)).length, count, api);
    const told = all.flatMap(({ line: [, fields] }) => readFields(fields).codes);
    assert.deepEqual([...new Set([...told, ...unpromised])].sort(), [...codes].sort());
  });

  test("COVERAGE.md is up to date", () => {
    assert.equal(readFileSync(new URL("COVERAGE.md", book.folder), "utf8"), coveragePage(book), "npm run docs");
  });
}
