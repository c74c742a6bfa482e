import assert from "node:assert/strict";
import { test } from "node:test";
import { AbortedTransactionError, type Kysely } from "kysely";
import { eachBareBackend, givenBarePglite } from "../support/store.ts";

interface Tables {
  purse: { id: string; coins: number };
}

async function withPurse(db: Kysely<Tables>): Promise<void> {
  await db.schema.createSchema("farm").ifNotExists().execute();
  await db.schema
    .createTable("purse")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("coins", "integer", (c) => c.notNull())
    .execute();
  await db.insertInto("purse").values({ id: "mine", coins: 0 }).execute();
}

const coinsOf = async (db: Kysely<Tables>): Promise<number> =>
  (await db.selectFrom("purse").select("coins").where("id", "=", "mine").executeTakeFirstOrThrow()).coins;

eachBareBackend("a query beside an open transaction never lands in it", async (_t, { store }) => {
  const db = store.part<Tables>("farm");
  await withPurse(db);
  const beside: Promise<unknown>[] = [];
  await assert.rejects(
    db.transaction().execute(async (trx) => {
      await trx.updateTable("purse").set({ coins: 1 }).execute();
      // Not awaited: on the embedded backend these wait for the connection until the transaction has ended.
      beside.push(
        db.insertInto("purse").values({ id: "theirs", coins: 7 }).execute(),
        coinsOf(db).then((coins) => assert.equal(coins, 0)),
      );
      await trx.updateTable("purse").set({ coins: 2 }).execute();
      throw new Error("changed my mind");
    }),
    /changed my mind/,
  );
  await Promise.all(beside);
  const rows = await db.selectFrom("purse").selectAll().orderBy("id").execute();
  assert.deepEqual(rows, [
    { id: "mine", coins: 0 },
    { id: "theirs", coins: 7 },
  ]);
});

eachBareBackend("50 transactions at once count to 50", async (_t, { store }) => {
  const db = store.part<Tables>("farm");
  await withPurse(db);
  const add = async (): Promise<void> =>
    db.transaction().execute(async (trx) => {
      const { coins } = await trx.selectFrom("purse").select("coins").where("id", "=", "mine").forUpdate().executeTakeFirstOrThrow();
      await trx
        .updateTable("purse")
        .set({ coins: coins + 1 })
        .where("id", "=", "mine")
        .execute();
    });
  await Promise.all(Array.from({ length: 50 }, add));
  assert.equal(await coinsOf(db), 50);
});

eachBareBackend("a transaction in which a statement failed says that it was not committed", async (_t, { store }) => {
  const db = store.part<Tables>("farm");
  await withPurse(db);
  const swallowing = db.transaction().execute(async (trx) => {
    await trx.updateTable("purse").set({ coins: 9 }).execute();
    await trx
      .insertInto("purse")
      .values({ id: "mine", coins: 1 })
      .execute()
      .catch(() => undefined);
  });
  await assert.rejects(swallowing, AbortedTransactionError);
  assert.equal(await coinsOf(db), 0);
});

eachBareBackend("a savepoint takes back a part", async (_t, { store }) => {
  const db = store.part<Tables>("farm");
  await withPurse(db);
  const trx = await db.startTransaction().execute();
  await trx.updateTable("purse").set({ coins: 3 }).execute();
  const after = await trx.savepoint("before the mistake").execute();
  await assert.rejects(after.insertInto("purse").values({ id: "mine", coins: 1 }).execute());
  await after.rollbackToSavepoint("before the mistake").execute();
  await trx.commit().execute();
  assert.equal(await coinsOf(db), 3);
});

eachBareBackend("the connection is free again after each kind of end", async (_t, { store }) => {
  const db = store.part<Tables>("farm");
  await withPurse(db);
  for (let round = 0; round < 25; round++) {
    await assert.rejects(db.insertInto("purse").values({ id: "mine", coins: 1 }).execute());
    await assert.rejects(db.transaction().execute(async (trx) => trx.insertInto("purse").values({ id: "mine", coins: 1 }).execute()));
    await assert.rejects(store.raw("begin; insert into farm.purse values ('mine', 1); commit"));
    await db
      .transaction()
      .setIsolationLevel("serializable")
      .execute(async (trx) => coinsOf(trx));
  }
  assert.equal(await coinsOf(db), 0);
});

eachBareBackend("raw takes several statements without values, and one with", async (_t, { store }) => {
  const { rows } = await store.raw("begin; create table public.t (a int); insert into public.t values (1), (2) returning a; commit");
  assert.deepEqual(rows, [{ a: 1 }, { a: 2 }]);
  assert.deepEqual((await store.raw("select a from public.t where a > $1", [1])).rows, [{ a: 2 }]);
});

test("a transaction on a closed store fails at once and does not hang", async (t) => {
  const { store } = await givenBarePglite(t);
  const db = store.part<Tables>("farm");
  await store.close();
  await store.close();
  await assert.rejects(db.transaction().execute(async (trx) => coinsOf(trx)));
});

eachBareBackend("what was flushed is committed; many flush at once", async (_t, { store }) => {
  const db = store.part<Tables>("farm");
  await withPurse(db);
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      await db
        .insertInto("purse")
        .values({ id: String(i), coins: i })
        .execute();
      await store.flush();
    }),
  );
  assert.equal((await db.selectFrom("purse").selectAll().execute()).length, 21);
});
