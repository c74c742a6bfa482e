import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { tempDir } from "../support/temp.ts";
import { givenOwner } from "./given-owner.ts";

/** Runs the command behind a `|`, as a shell does. */
const piped = (reader: string): string[] => ["sh", "-c", `"$@" | ${reader}`, "sh"];

test("six thousand accounts come through a pipe whole, to a slow reader too; one that has seen enough is no mistake", async (t) => {
  const { run, client } = await givenOwner(t);
  const made = await client.accounts.createGroup({ body: { name: "Shows", service_type: "podcast" } });
  const id = "group" in made ? made.group.id : made.id;
  const accounts = Array.from({ length: 6000 }, (_, n) => ({ website: "studio.example.com", email: `user${n}@example.com` }));
  await client.accounts.importAccounts({ params: { id }, body: { accounts } });
  const args = ["groups", "export", id];

  let whole = "";
  await t.test("a slow reader", async () => {
    whole = (await run(args, { through: piped("(sleep 1; cat)") })).out;
    assert.equal((JSON.parse(whole) as { accounts: object[] }).accounts.length, 6000);
  });

  await t.test("a quick one", async () => {
    const { out } = await run(args, { through: piped("wc -c") });
    assert.equal(Number(out), Buffer.byteLength(whole));
  });

  await t.test("one that has seen enough", async () => {
    const status = join(await tempDir(t, "status"), "code");
    const { out, err } = await run(args, { through: ["sh", "-c", `("$@"; echo $? > ${status}) | head -n 1; cat ${status}`, "sh"] });
    assert.deepEqual([out, err], ["{\n0\n", ""], "quiet, and no failure");
  });
});
