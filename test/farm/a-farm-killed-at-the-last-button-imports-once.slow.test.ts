import assert from "node:assert/strict";
import { test } from "node:test";
import { dovecotMissing } from "../support/dovecot.ts";
import { givenKilledImport, goesOn } from "../support/killed-import.ts";

/** A farm in a process of its own is killed with -9 around the confirming request; the studio's history of imports decides. */
const skip = dovecotMissing ?? false;

test("killed when the studio has done it and the answer is not yet out: found there, imported once", { skip }, async (t) => {
  const killed = await givenKilledImport(t);
  const farm = killed.farm();
  killed.whole.studio.edges.onPublish = (moment) => void (moment === "handled" && farm.child.kill("SIGKILL"));
  assert.equal(await farm.ended(90_000), "SIGKILL");
  killed.whole.studio.edges.onPublish = () => undefined;
  assert.equal((await killed.whole.studio.imports()).length, 1, "it was done while the farm died");
  assert.deepEqual(await goesOn(killed), ["imported"]);
});
