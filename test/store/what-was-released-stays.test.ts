import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from "kysely";
import type { Migration } from "kysely/migration";
import { migrations as farm } from "../../src/coordinator/migrations.ts";
import { managerMigrations as manager } from "../../src/manager/migrations.ts";
import { migrations as studio } from "../../src/studio/migrations.ts";

/** The SQL of what was released, as a hash: data folders have gone through it, and will not go through it again. */
const released: Readonly<Record<string, string>> = {
  "farm 0001-ledger": "592f2a663c229852",
  "farm 0002-after-look": "f2eafd2f0036ddce",
  "farm 0003-signing-in": "10b3267760ea0bd7",
  "farm 0004-one-budget-a-login": "96acb2f3f19fe874",
  "farm 0005-checks": "e0f2ac2b778c40a2",
  "farm 0006-local-tasks": "eed57fe50efc6c01",
  "manager 001-worker-api": "a44b3fe23a590d6e",
  "manager 002-imports": "c83c04761233572f",
  "manager 003-api-token": "1800dab060ae30c9",
  "manager 004-people": "497e723e4b8d9c15",
  "manager 005-content": "1505379041961f01",
  "studio 0001_studio": "148670340a0c2e82",
  "studio 0002_imports": "20bd70bc48ad28dc",
  "studio 0003_import_rests": "1e16f028f5b77a28",
  "studio 0004_podops": "c4c32af27d80dd6e",
  "studio 0005_media": "fdaa9a651ac48db4",
  "studio 0006_feeds": "b878354c1de9dc73",
  "studio 0007_next_cover": "e6d467795369f217",
};

/** Compiled and run on nothing. */
async function sqlOf({ up }: Migration): Promise<string> {
  const statements: string[] = [];
  const db = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (of) => new PostgresIntrospector(of),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => void statements.push(query.sql),
  });
  await up(db);
  assert.ok(statements.length > 0);
  return createHash("sha256").update(statements.join(";\n")).digest("hex").slice(0, 16);
}

for (const [part, all] of Object.entries({ farm, manager, studio }))
  test(`what was released of the ${part}'s schema stays as it is; what comes later is a migration of its own`, async () => {
    const found: Record<string, string> = {};
    for (const [name, migration] of Object.entries(all)) found[`${part} ${name}`] = await sqlOf(migration);
    const known = Object.fromEntries(Object.entries(released).filter(([name]) => name.startsWith(`${part} `)));
    assert.deepEqual(found, known);
  });
