// @ts-check
import { createReadStream, createWriteStream, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { npm } from "./npm.mjs";
import { run } from "./run.mjs";

/** Its tarball holds a whole browser: the one source left where neither downloads nor Debian's packages can be had. */
export const NPM_BROWSER = "@sparticuz/chromium";
const VERSION = "153.0.0";
const archives = ["al2023.tar", "swiftshader.tar", "fonts.tar"];

/**
 * Unpacked by our own hands into `.node/browser`, with its libraries beside it. Its JavaScript is never run: it unpacks
 * into a shared /tmp and hands out arguments that turn the browser's security off.
 *
 * @param {import("../setup.mjs").Place} place
 * @returns {Promise<string | null>} what stood in the way, or null
 */
export async function bringNpmBrowser(place) {
  if (process.platform !== "linux" || process.arch !== "x64") return `holds nothing for ${process.platform}-${process.arch}`;
  const parcel = `${place.tools}/parcel`;
  const made = `${place.tools}/browser.new`;
  const folder = `${place.tools}/browser`;
  try {
    await npm(place, ["install", "--prefix", parcel, "--no-save", "--no-package-lock", `${NPM_BROWSER}@${VERSION}`]);
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });
    const from = `${parcel}/node_modules/${NPM_BROWSER}/bin`;
    await inflate(`${from}/chromium.br`, `${made}/chromium`, 0o755);
    for (const name of archives) {
      await inflate(`${from}/${name}.br`, `${made}/${name}`, 0o644);
      const { code, output } = await run("tar", ["-xf", `${made}/${name}`, "-C", made]);
      if (code !== 0) return `tar: ${output.trim()}`;
      rmSync(`${made}/${name}`);
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  } catch (error) {
    return /** @type {Error} */ (error).message.split("\n")[0] ?? "npm failed";
  } finally {
    rmSync(parcel, { recursive: true, force: true });
    rmSync(made, { recursive: true, force: true });
  }
  writeFontConfig(folder);
  writeFileSync(
    `${place.tools}/browser.json`,
    JSON.stringify({
      executable: `${folder}/chromium`,
      source: "npm",
      env: { LD_LIBRARY_PATH: `${folder}/lib:${folder}`, FONTCONFIG_FILE: `${folder}/fonts.conf` },
    }),
  );
  return null;
}

/** @param {string} from @param {string} to @param {number} mode */
async function inflate(from, to, mode) {
  await pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to, { mode }));
}

/** The shipped one points at folders of the machine it was made for. The system's fonts come first, where there are any. @param {string} folder */
function writeFontConfig(folder) {
  const shipped = readFileSync(`${folder}/fonts.conf`, "utf8");
  const dirs = ["/usr/share/fonts", `${folder}/fonts`].map((path) => `  <dir>${path}</dir>`).join("\n");
  writeFileSync(
    `${folder}/fonts.conf`,
    shipped
      .replaceAll(/\s*<dir[^>]*>.*?<\/dir>/g, "")
      .replaceAll(/<cachedir[^>]*>.*?<\/cachedir>/g, "")
      .replace(/<fontconfig>/, `<fontconfig>\n${dirs}\n  <cachedir>${folder}/font-cache</cachedir>`),
  );
}
