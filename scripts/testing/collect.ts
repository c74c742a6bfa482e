import { describe } from "node:test";
import { pathToFileURL } from "node:url";

/**
 * Each file as a suite of its own name: a test that a shared helper declares is counted for the file that called it, and
 * a file's top-level hooks are its own.
 */
for (const file of process.argv.slice(2)) {
  void describe(file, async () => {
    await import(pathToFileURL(file).href);
  });
}
