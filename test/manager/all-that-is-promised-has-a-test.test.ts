import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { apiErrors } from "../../src/manager/errors.ts";
import { fieldsOf, fits, readFields, type Fields } from "./promised/fields.ts";
import type { Line } from "./promised/lines.ts";
import { coveragePage, tables, testsNamed } from "./promised/table.ts";
import { testsByName } from "./promised/tests-by-name.ts";
import { everyRoute } from "./every-route.ts";
import { commonReadings } from "./readings.ts";

const tests = testsByName();
const all = tables.flatMap(({ coverage }) =>
  Object.entries<readonly Line[]>(coverage).flatMap(([tag, lines]) => lines.map((line) => ({ tag, line }))),
);
const isCommon = (tag: string): boolean => Object.hasOwn(commonReadings, tag);
const list = (problems: Iterable<string>): string => [...problems].join("\n");

/** The lines that speak of a route. */
function linesOf(name: string): Fields[] {
  return all
    .filter(({ line: [routes] }) => routes === "*" || routes.split(" ").includes(name))
    .map(({ line: [, fields] }) => readFields(fields));
}

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
    const inContent = one.file.startsWith("content/");
    const known = new Set(
      tables.filter(({ folder }) => (folder === "content/") === inContent).flatMap(({ readings }) => Object.keys(readings)),
    );
    for (const tag of one.tags) if (!known.has(tag)) problems.push(`${one.file}: [${tag}] is no reading`);
  }
  assert.equal(list(problems), "");
});

test("every parameter, default and field of every route stands in a line, and no line has another", () => {
  const problems: string[] = [];
  const names = new Set(everyRoute.map(({ name }) => name as string));
  for (const route of everyRoute) {
    const lines = linesOf(route.name);
    for (const [part, fields] of Object.entries(fieldsOf(route)) as [keyof Fields, string[]][])
      for (const field of fields)
        if (!lines.some((line) => line[part].some((pattern) => fits(pattern, field))))
          problems.push(`${route.name}: no line has its ${part} ${field}`);
  }
  for (const { tag, line } of all) {
    const [routes, fields] = line;
    const { codes: _codes, ...said } = readFields(fields);
    const unknown = routes.split(" ").filter((name) => name && name !== "*" && !names.has(name));
    problems.push(...unknown.map((name) => `${tag}: there is no route ${name}`));
    const about = everyRoute.filter(({ name }) => routes === "*" || routes.split(" ").includes(name)).map(fieldsOf);
    for (const [part, patterns] of Object.entries(said) as [keyof typeof said, string[]][])
      for (const pattern of patterns)
        if (!about.some((one) => one[part].some((field) => fits(pattern, field))))
          problems.push(`${tag}: ${routes} has no ${part} ${pattern}`);
  }
  assert.equal(list(problems), "");
});

test("every row of the texts is a route's, and every refusal stands in a line", () => {
  const rows = new Set(everyRoute.map(({ row }) => row).filter((row) => row !== undefined));
  // Of these the text says what fields are, not what can be called.
  const fieldRows = ["W2", "W3", "W4", "W10", "C2", "C3", "C4"];
  const tags = tables.flatMap(({ coverage }) => Object.keys(coverage)).filter((tag) => /^[WBC]\d+$/.test(tag));
  assert.deepEqual(new Set([...rows, ...fieldRows]), new Set(tags));
  const count = { W: 10, B: 26, C: 4 };
  for (const [api, rowsOfIt] of Object.entries(count)) assert.equal(tags.filter((tag) => tag.startsWith(api)).length, rowsOfIt, api);
  const codes = all.flatMap(({ line: [, fields] }) => readFields(fields).codes);
  // Nobody is promised what nobody foresaw, nor how bytes are refused that are no request.
  assert.deepEqual([...new Set([...codes, "internal", "malformed_request"])].sort(), Object.keys(apiErrors).sort());
});

test("COVERAGE.md is up to date", () => {
  const page = readFileSync(new URL("COVERAGE.md", import.meta.url), "utf8");
  assert.equal(page, coveragePage(), "npm run docs");
});
