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
  /** @param name e.g. "studio.css" or "quill/quill.js" */
  url(name: string): string;
}

/** Addresses that change with the content, so that browsers may keep the files for ever. */
export function createAssetUrls(): AssetUrls {
  const own = readdirSync(assetsDir, { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [[entry.name, join(assetsDir, entry.name)] as const] : [],
  );
  const quill = ["quill.js", "quill.snow.css"].map((name) => [`quill/${name}`, join(quillDir, name)] as const);
  const versions = new Map(
    [...own, ...quill].map(([name, path]) => [name, createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 10)]),
  );
  return { url: (name) => `/assets/${name}?v=${versions.get(name) ?? "0"}` };
}
