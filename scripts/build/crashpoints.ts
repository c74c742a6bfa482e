import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The package can't be made to die on purpose: the statements `crashpoint(…);` and their import are taken out of what was
 * built. kit/crashpoint.js itself stays, used by nobody.
 */
const OWN = join("src", "kit", "crashpoint.js");
/** As the compiler writes it: a statement of its own, with no call but its own inside. */
const statement = /\bcrashpoint\([^()]*\);/g;
const imported = /^import \{ crashpoint \} from "[^"]*\/crashpoint\.js";\n/gm;

/** @returns how many were taken out  @throws when one is left */
export function takeOutCrashpoints(dist: string): number {
  let taken = 0;
  for (const file of globSync("**/*.js", { cwd: dist })) {
    if (file === OWN) continue;
    const path = join(dist, file);
    const source = readFileSync(path, "utf8");
    const { code, count } = withoutCrashpoints(source);
    if (code.includes("crashpoint")) throw new Error(`${file} still holds a crash point; write it as a statement: crashpoint("name");`);
    if (code !== source) writeFileSync(path, code);
    taken += count;
  }
  return taken;
}

/** An empty statement takes the place of each, so that `if (…) crashpoint(…);` stays whole. */
export function withoutCrashpoints(source: string): { code: string; count: number } {
  let count = 0;
  const code = source.replace(imported, "").replace(statement, () => {
    count += 1;
    return ";";
  });
  return { code, count };
}
