import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The studio's own style sheets and scripts, beside this file also in a built package. */
export const assetsDir = fileURLToPath(new URL("./assets/", import.meta.url));
/** The editor comes from its own package, not from somebody's network. */
export const quillDir = dirname(createRequire(import.meta.url).resolve("quill/dist/quill.js"));

export interface AssetUrls {
  /** Folder of the files' addresses; another one when any of them has changed: "/assets/v-1f2e3d4c5b/". */
  folder: string;
  /** @param name e.g. "studio.css" or "quill/quill.js" */
  url(name: string): string;
}

/**
 * Addresses that change with the content, so that browsers may keep the files for ever. The version is a folder: what a
 * script imports from beside it (`./api.js`) then has it too.
 */
export function createAssetUrls(): AssetUrls {
  const own = readdirSync(assetsDir, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [join(assetsDir, entry.name)] : []));
  const quill = ["quill.js", "quill.snow.css"].map((name) => join(quillDir, name));
  const version = createHash("sha256");
  for (const path of [...own.toSorted(), ...quill]) version.update(readFileSync(path));
  const folder = `/assets/v-${version.digest("hex").slice(0, 10)}/`;
  return { folder, url: (name) => `${folder}${name}` };
}
