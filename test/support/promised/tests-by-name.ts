import { globSync, readFileSync } from "node:fs";

export interface NamedTest {
  /** Below the folder, without its endings: "content/contents-are-kept". */
  file: string;
  tags: readonly string[];
  /** Behind the tags. */
  name: string;
}

/** `withManager("[W1] [limit] …"`, also on two lines. */
const TEST = /^(?:with[A-Z]\w*|each(?:Bare)?Backend|test)\(\s*"((?:\[[^\]]+\] )*)((?:[^"\\]|\\.)*)"/gm;

/** The tests below a folder as they stand in its files. */
export function testsByName(folder: URL): NamedTest[] {
  return globSync("**/*.test.ts", { cwd: folder })
    .toSorted()
    .flatMap((path) =>
      [...readFileSync(new URL(path, folder), "utf8").matchAll(TEST)].map(([, tags = "", name = ""]) => ({
        file: path.slice(0, -".test.ts".length),
        tags: [...tags.matchAll(/\[([^\]]+)\]/g)].map(([, tag = ""]) => tag),
        name,
      })),
    );
}

/** @returns the tests that a line's reference names: one, unless it is wrong */
export function testsNamed(reference: string, tests: readonly NamedTest[]): NamedTest[] {
  const [file = "", start = ""] = reference.split(": ", 2);
  const rest = reference.slice(file.length + 2);
  return start === "" ? [] : tests.filter((test) => test.file === file && test.name.startsWith(rest));
}
