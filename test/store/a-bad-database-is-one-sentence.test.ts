import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { UsageError } from "../../src/kit/config.ts";
import { openStore } from "../../src/store/store.ts";
import { freshDatabase, postgresMissing } from "../support/postgres.ts";
import { silentLog } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const skip = postgresMissing ?? false;

async function refusal(options: { databaseUrl?: string; dataDir?: string }): Promise<string> {
  const error: unknown = await openStore({ dataDir: "/nowhere", log: silentLog, ...options }).then(
    async (store) => store.close(),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UsageError, `expected a UsageError, got ${String(error)}`);
  assert.doesNotMatch(error.message, /wrong-demo|demo-password|\n/);
  return error.message;
}

test("nothing listens", async () => {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  assert.equal(
    await refusal({ databaseUrl: `postgres://me:demo-password@127.0.0.1:${port}/podcrew` }),
    `The database postgres://me@127.0.0.1:${port}/podcrew can't be used: nothing listens there. Start PostgreSQL, or correct DATABASE_URL.`,
  );
});

test("not an address", async () => {
  assert.match(await refusal({ databaseUrl: "postgres://me:demo-password@:x:y" }), /DATABASE_URL is not an address/);
});

test("wrong password", { skip }, async () => {
  const url = (await freshDatabase()).replace("demo-password", "wrong-demo");
  assert.match(await refusal({ databaseUrl: url }), /it refused the password\. Correct DATABASE_URL\.$/);
});

test("no such database", { skip }, async () => {
  const url = (await freshDatabase()).replace(/[^/]+$/, "not_there");
  assert.match(await refusal({ databaseUrl: url }), /\/not_there can't be used: that database does not exist\. Create it/);
});

test("a database that acknowledges before it is on disk", { skip }, async () => {
  const url = await freshDatabase();
  const store = await openStore({ dataDir: "/nowhere", databaseUrl: url, log: silentLog });
  await store.raw(`alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = off`);
  await store.close();
  assert.match(await refusal({ databaseUrl: url }), /synchronous_commit=off: .* ALTER DATABASE/);
});

test("the data folder's place is a file", async (t) => {
  const folder = await tempDir(t);
  await writeFile(join(folder, "taken"), "");
  assert.match(
    await refusal({ dataDir: join(folder, "taken") }),
    /^The data folder .*taken can't be used: it is not a folder\. .* PODCREW_DATA=/,
  );
  assert.match(await refusal({ dataDir: join(folder, "taken", "below") }), /it is not a folder/);
});

// Root may write everywhere but into the kernel's own folders.
test("the data folder can't be written", { skip: process.platform !== "linux" }, async () => {
  assert.match(
    await refusal({ dataDir: "/sys/podcrew" }),
    /^The data folder \/sys\/podcrew can't be used: (this user may not write there|it is read-only)\. .* PODCREW_DATA=/,
  );
});
