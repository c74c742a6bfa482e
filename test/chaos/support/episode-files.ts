import { mkdtemp, rm } from "node:fs/promises";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAddressPolicy } from "../../../src/kit/addresses.ts";
import { openMediaPool } from "../../../src/media/pool.ts";
import { prepareEpisode } from "../../../src/media/prepare.ts";
import { silentLog } from "../../support/store.ts";
import { cardOf } from "./paper-protocol.ts";

/** All episodes say the same: their files are made once, and it is left to the marker to tell them apart. */
export const title = "An episode like all others";
export const aboutText = "Hello.";

let made: Promise<string> | undefined;

/** A cache folder in which the files of such an episode are ready, so that no farm spends time on a voice. Gone with the process. */
export async function preparedCache(): Promise<string> {
  made ??= make();
  return made;
}

async function make(): Promise<string> {
  const cacheDir = await mkdtemp(join(tmpdir(), "podcrew-chaos-cache-"));
  process.once("exit", () => rmSync(cacheDir, { recursive: true, force: true }));
  const pool = openMediaPool({ threads: 1, log: silentLog });
  try {
    await prepareEpisode(
      { id: "first", title, about: `<p>${aboutText}</p>`, image_url: "" },
      {
        limits: cardOf("drafts").limits,
        marker: "ep-first",
        cacheDir,
        pool,
        policy: createAddressPolicy([]),
        mediaDirs: [],
        signal: new AbortController().signal,
        onProgress: () => undefined,
      },
    );
  } catch (error) {
    await rm(cacheDir, { recursive: true, force: true });
    throw error;
  } finally {
    await pool.close();
  }
  return cacheDir;
}
