import assert from "node:assert/strict";
import { test } from "node:test";
import { dovecotMissing } from "../support/dovecot.ts";
import { givenKilledImport, goesOn } from "../support/killed-import.ts";

/** A farm in a process of its own is killed with -9 around the confirming request; the studio's history of imports decides. */
const skip = dovecotMissing ?? false;

test("killed while the gate holds the confirming request: looked up, and imported once", { skip }, async (t) => {
  const killed = await givenKilledImport(t);
  const farm = killed.farm({ PODCREW_CRASHPOINT: "request-held:1" });
  assert.equal(await farm.ended(90_000), "SIGKILL");
  assert.deepEqual(await killed.whole.studio.imports(), [], "nothing has left");
  assert.deepEqual(await goesOn(killed), ["imported"]);
});
