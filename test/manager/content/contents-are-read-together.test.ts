import assert from "node:assert/strict";
import { createKeys } from "../../../src/manager/keys.ts";
import type { ManagerTables } from "../../../src/manager/tables.ts";
import { withContent } from "./support.ts";

withContent("[C1] of many who read at the same time each gets their own contents alone", async ({ api, make, addUser, owner }) => {
  const other = await addUser("owner");
  const ours = await Promise.all(Array.from({ length: 20 }, async (_, index) => make({ title: `ours ${index}` })));
  const theirs = await Promise.all(Array.from({ length: 20 }, async (_, index) => make({ title: `theirs ${index}` }, other.as)));
  const read = async (id: string, as: typeof owner.as) => {
    const { status, body } = await api("GET", `/content/get-by-id/${id}`, { as });
    return status === 200 ? (body.content as unknown) : status;
  };
  // The same ids by both, and some twice: all of it in flight at once.
  const all = [...ours, ...theirs, ...ours.slice(0, 5)];
  const [byOwner, byOther] = await Promise.all(
    [owner.as, other.as].map(async (as) => Promise.all(all.map(async ({ id }) => read(id.toUpperCase(), as)))),
  );
  const [mine, others] = [new Set(ours), new Set(theirs)];
  assert.deepEqual(
    byOwner,
    all.map((one) => (mine.has(one) ? one : 404)),
  );
  assert.deepEqual(
    byOther,
    all.map((one) => (others.has(one) ? one : 404)),
  );
});

withContent(
  "[C1] a key that is revoked by another process is refused at once",
  async ({ api, addKey, make, nobody, store, clock, manager }) => {
    const { id } = await make({}, nobody);
    const as = await addKey(["content:read"]);
    const ask = async () => (await api("GET", `/content/get-by-id/${id}`, { as })).status;
    assert.deepEqual(
      await Promise.all(Array.from({ length: 10 }, ask)),
      Array.from({ length: 10 }, () => 200),
    );
    const key = (await manager.keys.list()).find(({ prefix }) => as["x-api-key"]?.startsWith(prefix));
    assert.equal(await createKeys(store.part<ManagerTables>("manager"), clock).revoke(key?.id ?? ""), true);
    assert.deepEqual(
      await Promise.all(Array.from({ length: 10 }, ask)),
      Array.from({ length: 10 }, () => 401),
    );
  },
);
