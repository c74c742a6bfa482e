import { globSync, readFileSync } from "node:fs";

export interface NamedTest {
  /** Below test/manager, without its endings: "content/contents-are-kept". */
  file: string;
  tags: readonly string[];
  /** Behind the tags. */
  name: string;
}

const here = new URL("../", import.meta.url);
/** `withManager("[W1] [limit] …"`, also on two lines. */
const TEST = /^(?:with[A-Z]\w*|eachBackend|test)\(\s*"((?:\[[^\]]+\] )*)((?:[^"\\]|\\.)*)"/gm;

/** The tests of the manager as they stand in its files. */
export function testsByName(): NamedTest[] {
  return globSync("**/*.test.ts", { cwd: here })
    .toSorted()
    .flatMap((path) =>
      [...readFileSync(new URL(path, here), "utf8").matchAll(TEST)].map(([, tags = "", name = ""]) => ({
        file: path.slice(0, -".test.ts".length),
        tags: [...tags.matchAll(/\[([^\]]+)\]/g)].map(([, tag = ""]) => tag),
        name,
      })),
    );
}
