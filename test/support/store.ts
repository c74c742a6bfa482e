import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync } from "node:fs";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { migrations as farm } from "../../src/coordinator/migrations.ts";
import { createLog, type Log } from "../../src/kit/log.ts";
import { managerMigrations } from "../../src/manager/migrations.ts";
import { openQueue } from "../../src/store/queue.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { migrations as studio } from "../../src/studio/migrations.ts";
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
 * Registers one test for each backend, each with a database of its own in which every part has its tables and no rows, closed and
 * removed afterwards. @example eachBackend("a task is posted once", async (t, { store }) => { … });
 */
export function eachBackend(name: string, run: (t: TestContext, given: Given) => Promise<void>): void {
  test(`${name} (pglite)`, async (t) => run(t, await givenPglite(t)));
  test(`${name} (postgres)`, { skip: postgresMissing ?? false }, async (t) => run(t, await givenPostgres(t)));
}

/** The same with nothing in the database, for what is about migrations and tables of its own. */
export function eachBareBackend(name: string, run: (t: TestContext, given: Given) => Promise<void>): void {
  test(`${name} (pglite)`, async (t) => run(t, await givenBarePglite(t)));
  test(`${name} (postgres)`, { skip: postgresMissing ?? false }, async (t) => run(t, await openPostgres(t, await freshDatabase())));
}

/** An embedded store for a test that needs any store: less than half a second. */
export async function givenPglite(t: TestContext): Promise<Given> {
  return openPglite(t, copyEmptyDatabase);
}

export async function givenBarePglite(t: TestContext): Promise<Given> {
  return openPglite(t, copyBareDatabase);
}

export async function givenPostgres(t: TestContext): Promise<Given> {
  template ??= makeTemplate();
  return openPostgres(t, await freshDatabase(await template));
}

async function openPglite(t: TestContext, copy: (dataDir: string) => Promise<void>): Promise<Given> {
  const dataDir = await tempDir(t, "store");
  await copy(dataDir);
  const store = await openStore({ dataDir, log: silentLog });
  afterTheRest(t, 1, async () => store.close());
  return { store, dataDir, backend: "pglite", databaseUrl: undefined };
}

async function openPostgres(t: TestContext, databaseUrl: string): Promise<Given> {
  const dataDir = await tempDir(t, "store");
  const store = await openStore({ dataDir, databaseUrl, log: silentLog });
  afterTheRest(t, 1, async () => store.close());
  return { store, dataDir, backend: "postgres", databaseUrl };
}

let template: Promise<string> | undefined;

/** A database on this process' server that others are copies of. @returns its name */
async function makeTemplate(): Promise<string> {
  const databaseUrl = await freshDatabase();
  const store = await openStore({ dataDir: tmpdir(), databaseUrl, log: silentLog });
  await migrateAll(store);
  await store.close();
  return new URL(databaseUrl).pathname.slice(1);
}

async function migrateAll(store: Store): Promise<void> {
  await store.migrate("farm", farm);
  await store.migrate("manager", managerMigrations);
  await store.migrate("studio", studio);
  await (await openQueue(store, silentLog)).close();
}

/**
 * Puts a database without rows into `<dataDir>/db`, in which every part has its tables: opening it takes 0.2 s and not the seconds of
 * making one, and there is nothing left to migrate.
 */
export async function copyEmptyDatabase(dataDir: string): Promise<void> {
  await copyInto(dataDir, await migratedDatabase());
}

/** The same without any tables. */
export async function copyBareDatabase(dataDir: string): Promise<void> {
  await copyInto(dataDir, await bareDatabase());
}

async function copyInto(dataDir: string, database: string): Promise<void> {
  // Node's own copy that keeps the times takes ten times as long.
  await run("cp", ["-a", database, join(dataDir, "db")]);
}

async function bareDatabase(): Promise<string> {
  return keptDatabase("bare", async (dataDir) => (await openStore({ dataDir, log: silentLog })).close());
}

async function migratedDatabase(): Promise<string> {
  return keptDatabase(`migrated-${await migrationsHash()}`, async (dataDir) => {
    await copyBareDatabase(dataDir);
    const store = await openStore({ dataDir, log: silentLog });
    await migrateAll(store);
    await store.close();
  });
}

/** Of all that the tables are made of. */
async function migrationsHash(): Promise<string> {
  const sources = fileURLToPath(new URL("../../src", import.meta.url));
  const hash = createHash("sha256");
  for (const file of globSync("**/*migration*.ts", { cwd: sources }).sort()) hash.update(await readFile(join(sources, file)));
  return hash.digest("hex").slice(0, 16);
}

const made = new Map<string, Promise<string>>();

/** Made once on this machine for each version of PGlite and kept in the temp folder. */
async function keptDatabase(kind: string, make: (dataDir: string) => Promise<void>): Promise<string> {
  const making = made.get(kind) ?? makeDatabase(kind, make);
  made.set(kind, making);
  return making;
}

async function makeDatabase(kind: string, make: (dataDir: string) => Promise<void>): Promise<string> {
  const manifest = new URL("../package.json", import.meta.resolve("@electric-sql/pglite"));
  const { version } = JSON.parse(await readFile(manifest, "utf8")) as { version: string };
  const kept = join(tmpdir(), `podcrew-${kind}-database-${version}-${process.getuid?.() ?? "any"}`);
  if (existsSync(kept)) return kept;
  const folder = await mkdtemp(`${kept}-`);
  await make(folder);
  // Another test process may have been faster: then its copy serves.
  await rename(join(folder, "db"), kept).catch((error: NodeJS.ErrnoException) => {
    if (!["ENOTEMPTY", "EEXIST"].includes(error.code ?? "")) throw error;
  });
  await rm(folder, { recursive: true, force: true });
  return kept;
}
