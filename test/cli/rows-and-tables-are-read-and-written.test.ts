import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstat, readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createRequest } from "../../src/cli/requests.ts";
import { readRows } from "../../src/cli/rows-file.ts";
import { styled, table } from "../../src/cli/table.ts";
import { writeOut } from "../../src/cli/write-out.ts";
import { loadConfig, UsageError } from "../../src/kit/config.ts";
import { csvHead, csvRows } from "../../src/manager/backlink/csv.ts";
import { tempDir } from "../support/temp.ts";

test("what is written is its owner's alone, also where anybody could read the file before", async (t) => {
  const folder = await tempDir(t, "rows");
  const out = join(folder, "accounts.csv");
  await writeFile(out, "old", { mode: 0o644 });
  await writeFile(`${out}.new`, "the user's own");
  await Promise.all([writeOut(out, "website,password\r\n"), writeOut(out, "website,password\r\n")]);
  assert.equal(await readFile(out, "utf8"), "website,password\r\n");
  assert.equal((await stat(out)).mode & 0o777, 0o600);
  assert.deepEqual((await readdir(folder)).toSorted(), ["accounts.csv", "accounts.csv.new"]);
  assert.equal(await readFile(`${out}.new`, "utf8"), "the user's own");
  await assert.rejects(writeOut(join(folder, "none", "a.csv"), ""), (error) => error instanceof UsageError && /ENOENT/.test(error.message));
  await assert.rejects(writeOut(folder, ""), (error) => error instanceof UsageError && /EISDIR/.test(error.message));
});

test("a link stays one, and what it leads to is written; a named pipe takes what its reader reads", async (t) => {
  const folder = await tempDir(t, "rows");
  const [there, missing, pipe] = [join(folder, "there.csv"), join(folder, "missing.csv"), join(folder, "pipe")];
  await writeFile(there, "old", { mode: 0o644 });
  for (const target of [there, missing]) {
    const link = `${target}.link`;
    await symlink(target, link);
    await writeOut(link, "new\n");
    assert.ok((await lstat(link)).isSymbolicLink());
    assert.equal(await readFile(target, "utf8"), "new\n");
    assert.equal((await stat(target)).mode & 0o777, 0o600);
  }
  execFileSync("mkfifo", [pipe]);
  const [read] = await Promise.all([readFile(pipe, "utf8"), writeOut(pipe, "through the pipe\n")]);
  assert.equal(read, "through the pipe\n");
  assert.ok((await lstat(pipe)).isFIFO());
});

const accounts = {
  list: "accounts",
  needed: "website",
  columns: { taken: ["website", "email", "password", "twofa"], ignored: ["has_password"] },
};

test("a column or field that is none is refused by its name; those that only an export has are passed over", async (t) => {
  const folder = await tempDir(t, "rows");
  const csv = join(folder, "a.csv");
  await writeFile(csv, "website,has_password,\na.example,true,\n");
  assert.deepEqual(await readRows(csv, accounts), [{ website: "a.example", has_password: "true" }]);
  await writeFile(csv, "website,pasword\na.example,secret\n");
  await assert.rejects(
    readRows(csv, accounts),
    /has a column "pasword", which accounts don't have; they have website, email, password, twofa\./,
  );
  await writeFile(csv, "website,password,password\na.example,secret,other\n");
  await assert.rejects(readRows(csv, accounts), /has the column "password" twice/);
  const json = join(folder, "a.json");
  const rows = [
    { website: "a.example", has_password: true },
    { website: "b.example", passwort: "secret" },
  ];
  await writeFile(json, JSON.stringify({ name: "Shows", accounts: rows }));
  await assert.rejects(readRows(json, accounts), /number 2 has a field "passwort", which accounts don't have/);
  await writeFile(json, JSON.stringify({ accounts: rows.slice(0, 1) }));
  assert.deepEqual(await readRows(json, accounts), rows.slice(0, 1));
});

test("whatever is wrong with a file of accounts, its line is named and nothing of what stands there", async (t) => {
  const folder = await tempDir(t, "rows");
  const head = "website,email,password,twofa\n";
  const row = "https://studio.example.com,me@example.com,demo-secret,JBSWY3DPEHPK3PXP\n";
  const cases: [name: string, text: string, says: RegExp][] = [
    ["a.csv", `${head}${row}a.example,me@example.com,demo"secret,\n`, /line 3, column "password": a quote \("\) stands within/],
    ["a.csv", `${head}a.example,me@example.com,"demo"secret,\n`, /line 2, column "password": text follows a closing quote/],
    ["a.csv", `${head}${row}a.example,me@example.com,"demo-secret\n`, /column "password": a quote \("\) is opened and never closed/],
    ["a.csv", `${head}${row}a.example,me@example.com,demo-secret\n`, /line 3.*: there are more or fewer columns than in the first line/],
    ["a.csv", row + row, /the first line holds no names of columns; accounts have website, email, password, twofa/],
    ["a.csv", row.replace("demo-secret", "password") + row, /the first line has no "website"; of the known columns it has password\.$/],
    ["a.csv", `${row.trimEnd()},"\n`, /line 1: /],
    ["a.json", `[\n{"website": "a.example",\n"password": demo-secret}]`, /is no JSON: something is wrong in line 3/],
    ["a.json", `{"website": "a.example", "password": "demo-secret" "twofa": ""}`, /is no JSON: something is wrong in line 1/],
    ["a.json", `{"website": "a.example",\n"password": "demo-secret\n"}`, /is no JSON: something is wrong in line 2/],
    ["a.json", `["me@example.com", "demo-secret"]`, /number 1 is no object/],
    ["a.json", `{"me@example.com": "demo-secret"}`, /holds no names of fields/],
  ];
  for (const [name, text, says] of cases) {
    const file = join(folder, name);
    await writeFile(file, text);
    const { message } = await readRows(file, accounts).then(
      () => assert.fail(`${text} is taken`),
      (error: unknown) => error as Error,
    );
    assert.match(message, says);
    assert.doesNotMatch(message, /demo|secret|JBSWY|studio\.example|me@/, `${text} is quoted`);
  }
});

test("an order with a misspelt field is none: it is refused before anybody is asked", async (t) => {
  const folder = await tempDir(t, "orders");
  const config = await loadConfig({}, { PODCREW_DATA: folder }, folder);
  for (const [name, text] of [
    ["order.json", '[{"name":"Week 47","auction_price":50},{"name":"Week 48","auction_price":50,"dta":{}}]'],
    ["order.csv", "name,auction_price,dta\nWeek 47,50,{}\n"],
  ] as const) {
    await writeFile(join(folder, name), text);
    await assert.rejects(
      createRequest(config, "podcast", { file: join(folder, name) }),
      (error) => error instanceof UsageError && /"dta", which requests don't have; they have group_id, name/.test(error.message),
    );
  }
});

test("a text that a spreadsheet would take for a formula is itself again; an apostrophe of its own stays", async (t) => {
  const file = join(await tempDir(t, "rows"), "requests.csv");
  const names = ["=1+1", "+5", "-x", "@me", "＝1", "\tx", "\r\ny", "'quoted'", "'t is", "plain"];
  const rows = names.map((name) => ({ name }));
  await writeFile(file, csvHead(["name"]) + csvRows(["name"], rows, "spreadsheet"));
  const kind = { list: "requests", needed: "name", columns: { taken: ["name"], ignored: [] } };
  assert.deepEqual(await readRows(file, { ...kind, forSpreadsheet: true }), rows);
  await writeFile(file, csvHead(["name"]) + csvRows(["name"], [{ name: "'=password" }], "import"));
  assert.deepEqual(await readRows(file, kind), [{ name: "'=password" }], "accounts are read as they are");
});

test("no cell of a table steers the terminal, and columns stay aligned", () => {
  const text = table([
    ["\u001B[2J\u001B]0;title\u0007gone", "a\nb"],
    [styled("red", "\u001B[8mhidden"), "\u009B2J"],
  ]);
  const plain = stripVTControlCharacters(text);
  assert.doesNotMatch(plain.replaceAll("\n", ""), /\p{Cc}/u);
  assert.equal(plain.split("\n").length, 2);
  assert.match(plain, /gone  a b\n/);
});
