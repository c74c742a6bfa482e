import { test } from "node:test";
import { dovecotMissing } from "../support/dovecot.ts";
import { assertRightCodes, storm } from "../support/mailboxes/storm.ts";

/** The thousand of `npm run test:sites`, in small. */
test("60 mailboxes full of look-alikes: no wrong code, and each right one within 2 s", { skip: dovecotMissing ?? false }, async (t) =>
  assertRightCodes(await storm(t, 60), t),
);
