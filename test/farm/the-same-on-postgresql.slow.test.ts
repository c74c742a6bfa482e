import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { openStore } from "../../src/store/store.ts";
import { ownPorts, podcrew } from "../support/podcrew.ts";
import { freshDatabase, postgresMissing } from "../support/postgres.ts";
import { silentLog } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

test("the demo publishes three episodes on PostgreSQL, once, also after kill -9", { skip: postgresMissing ?? false }, async (t) => {
  const data = await tempDir(t, "fleet");
  const databaseUrl = await freshDatabase();
  const env = { ...(await ownPorts(data)), DATABASE_URL: databaseUrl, PODCREW_KEY: randomBytes(32).toString("base64") };
  const killed = podcrew(t, ["demo"], { env });
  await killed.says(/"message":"posted"/, 120_000);
  killed.child.kill("SIGKILL");
  await killed.ended();
  // A shared database can't know at once that a holder is dead: its heartbeat has to stop first.
  const run = podcrew(t, ["demo", "--once", "--json"], { env });
  assert.equal(await run.ended(150_000), 0, run.stderr());
  const store = await openStore({ dataDir: data, databaseUrl, log: silentLog });
  t.after(async () => store.close());
  const history = await store
    .part<{ history: { id: number; outcome: string } }>("studio")
    .selectFrom("history")
    .select("outcome")
    .orderBy("id")
    .execute();
  assert.deepEqual(
    history.map(({ outcome }) => outcome),
    ["published", "published", "published"],
  );
});
