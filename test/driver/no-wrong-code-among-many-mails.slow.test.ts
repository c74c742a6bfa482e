import { test } from "node:test";
import { dovecotMissing } from "../support/dovecot.ts";
import { assertRightCodes, storm } from "../support/mailboxes/storm.ts";

/** The thousand of `npm run test:sites`, in small; beside other tests, so that a few may come later than they do on a quiet machine. */
test("60 mailboxes full of look-alikes: no wrong code, and nine of ten within 2 s", { skip: dovecotMissing ?? false }, async (t) =>
  assertRightCodes(await storm(t, 60), t, 0.9),
);
