import { readFileSync } from "node:fs";

/** The package's version. Its package.json is two folders up in the source and three in a built package. */
export function packageVersion(): string {
  for (const path of ["../../package.json", "../../../package.json"]) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as { version?: string };
      if (version) return version;
    } catch {
      continue;
    }
  }
  return "0.0.0";
}
