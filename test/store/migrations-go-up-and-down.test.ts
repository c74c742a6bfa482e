import assert from "node:assert/strict";
import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { UsageError } from "../../src/kit/config.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { eachBareBackend, silentLog } from "../support/store.ts";

interface Tables {
  show: { name: string; title: string };
}

const migrations: Record<string, Migration> = {
  "001-show": {
    up: async (db: Kysely<unknown>) =>
      db.schema
        .createTable("show")
        .addColumn("name", "text", (c) => c.primaryKey())
        .execute(),
    down: async (db: Kysely<unknown>) => db.schema.dropTable("show").execute(),
  },
  "002-title": {
    up: async (db: Kysely<unknown>) =>
      db.schema
        .alterTable("show")
        .addColumn("title", "text", (c) => c.notNull().defaultTo(""))
        .execute(),
    down: async (db: Kysely<unknown>) => db.schema.alterTable("show").dropColumn("title").execute(),
  },
};

async function tablesOf(store: Store, schema: string): Promise<string[]> {
  const { rows } = await store.raw(
    "select table_name as name from information_schema.tables where table_schema = $1 and table_name not like 'kysely%' order by 1",
    [schema],
  );
  return (rows as { name: string }[]).map(({ name }) => name);
}

eachBareBackend("up makes the part's tables in the part's schema, down removes them, up again", async (_t, { store }) => {
  await store.migrate("studio", migrations);
  await store.part<Tables>("studio").insertInto("show").values({ name: "tea-time", title: "Tea" }).execute();
  assert.deepEqual(await tablesOf(store, "studio"), ["show"]);
  await store.migrateDown("studio", migrations);
  assert.deepEqual(await tablesOf(store, "studio"), []);
  await store.migrate("studio", migrations);
  assert.deepEqual(await store.part<Tables>("studio").selectFrom("show").selectAll().execute(), []);
});

eachBareBackend("each part has its own tables of the same name", async (_t, { store }) => {
  await store.migrate("studio", migrations);
  await store.migrate("manager", migrations);
  await store.part<Tables>("studio").insertInto("show").values({ name: "a", title: "" }).execute();
  assert.deepEqual(await store.part<Tables>("manager").selectFrom("show").selectAll().execute(), []);
  await store.migrateDown("studio", migrations);
  assert.deepEqual(await tablesOf(store, "manager"), ["show"]);
});

eachBareBackend("several at once are one", async (t, { store, databaseUrl, dataDir }) => {
  const stores = [store];
  if (databaseUrl) {
    for (let i = 0; i < 4; i++) {
      const other = await openStore({ dataDir, databaseUrl, log: silentLog });
      t.after(async () => other.close());
      stores.push(other);
    }
  }
  await Promise.all([...stores, ...stores].flatMap((one) => [one.migrate("studio", migrations), one.migrate("manager", migrations)]));
  assert.deepEqual(await tablesOf(store, "studio"), ["show"]);
});

eachBareBackend("a migration that fails in the middle leaves nothing behind and names itself", async (_t, { store }) => {
  await store.migrate("studio", migrations);
  const bad = {
    ...migrations,
    "003-broken": {
      up: async (db: Kysely<unknown>) => {
        await db.schema.createTable("half").addColumn("id", "text").execute();
        await sql`select 1 / 0`.execute(db);
      },
    },
  };
  await assert.rejects(store.migrate("studio", bad), /migration studio\/003-broken failed: division by zero/);
  assert.deepEqual(await tablesOf(store, "studio"), ["show"]);
});

eachBareBackend("an older version does not touch a newer one's database", async (_t, { store }) => {
  await store.migrate("studio", migrations);
  const { "001-show": first } = migrations;
  await assert.rejects(
    store.migrate("studio", { "001-show": first as Migration }),
    (error) => error instanceof UsageError && /newer podcrew/.test(error.message),
  );
});
