import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { readings } from "./readings.ts";

const here = new URL("./", import.meta.url);
/** The tags at the start of each test's name: `withManager("[W1] [limit] …"`. */
const NAME = /\b(?:withManager|eachBackend|test)\(\s*"((?:\[[^\]]+\] )+)/g;

test("every row and every reading of the worker API has a test, and every tag is one of them", () => {
  const files = readdirSync(here).filter((name) => name.endsWith(".test.ts"));
  const names = files.flatMap((file) => [...readFileSync(new URL(file, here), "utf8").matchAll(NAME)].map((match) => match[1] ?? ""));
  const tags = new Set(names.flatMap((name) => [...name.matchAll(/\[([^\]]+)\]/g)].map((match) => match[1] ?? "")));
  assert.deepEqual([...tags].sort(), Object.keys(readings).sort());
});
