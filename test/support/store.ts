import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { createLog, type Log } from "../../src/kit/log.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { freshDatabase, postgresMissing } from "./postgres.ts";
import { afterTheRest, tempDir } from "./temp.ts";

const run = promisify(execFile);

export const silentLog: Log = createLog({ level: "silent", format: "json" });

export interface Given {
  store: Store;
  /** The test's own folder; with PGlite the database lies in `<dataDir>/db`. */
  dataDir: string;
  backend: Store["backend"];
  /** Address of the test's own PostgreSQL database; undefined with PGlite. */
  databaseUrl: string | undefined;
}

/**
 * Registers one test for each backend, each with an empty database of its own, closed and removed afterwards.
 * @example eachBackend("a task is posted once", async (t, { store }) => { … });
 */
export function eachBackend(name: string, run: (t: TestContext, given: Given) => Promise<void>): void {
  test(`${name} (pglite)`, async (t) => run(t, await givenPglite(t)));
  test(`${name} (postgres)`, { skip: postgresMissing ?? false }, async (t) => run(t, await givenPostgres(t)));
}

/** An empty embedded store for a test that needs any store: less than half a second. */
export async function givenPglite(t: TestContext): Promise<Given> {
  const dataDir = await tempDir(t, "store");
  await copyEmptyDatabase(dataDir);
  const store = await openStore({ dataDir, log: silentLog });
  afterTheRest(t, 1, async () => store.close());
  return { store, dataDir, backend: "pglite", databaseUrl: undefined };
}

export async function givenPostgres(t: TestContext): Promise<Given> {
  const [dataDir, databaseUrl] = [await tempDir(t, "store"), await freshDatabase()];
  const store = await openStore({ dataDir, databaseUrl, log: silentLog });
  afterTheRest(t, 1, async () => store.close());
  return { store, dataDir, backend: "postgres", databaseUrl };
}

/** Puts an empty database into `<dataDir>/db`, so that opening it takes 0.2 s and not the seconds of making one. */
export async function copyEmptyDatabase(dataDir: string): Promise<void> {
  // Node's own copy that keeps the times takes ten times as long.
  await run("cp", ["-a", await emptyDatabase(), join(dataDir, "db")]);
}

let made: Promise<string> | undefined;

/** Made once on this machine for each version of PGlite and kept in the temp folder. */
async function emptyDatabase(): Promise<string> {
  made ??= makeEmptyDatabase();
  return made;
}

async function makeEmptyDatabase(): Promise<string> {
  const manifest = new URL("../package.json", import.meta.resolve("@electric-sql/pglite"));
  const { version } = JSON.parse(await readFile(manifest, "utf8")) as { version: string };
  const kept = join(tmpdir(), `podcrew-empty-database-${version}-${process.getuid?.() ?? "any"}`);
  if (existsSync(kept)) return kept;
  const folder = await mkdtemp(`${kept}-`);
  const store = await openStore({ dataDir: folder, log: silentLog });
  await store.close();
  // Another test process may have been faster: then its copy serves.
  await rename(join(folder, "db"), kept).catch((error: NodeJS.ErrnoException) => {
    if (!["ENOTEMPTY", "EEXIST"].includes(error.code ?? "")) throw error;
  });
  await rm(folder, { recursive: true, force: true });
  return kept;
}
