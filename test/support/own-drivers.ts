import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The driver for tiny-site.ts as somebody would keep it in a folder of their own. @returns the file's path */
export async function writeTinyDriver(folder: string, change: (text: string) => string = (text) => text): Promise<string> {
  const text = await readFile(new URL("./tiny-driver.ts", import.meta.url), "utf8");
  const path = join(folder, "tiny.ts");
  await writeFile(path, change(text.replace("../../src/driver/index.ts", "podcrew/driver")));
  return path;
}
