import { test } from "node:test";
import { dovecotMissing } from "../../../support/dovecot.ts";
import { assertRightCodes, storm } from "../../../support/mailboxes/storm.ts";

const MAILBOXES = Number(process.env["MAILBOXES"] ?? 1000);
const PART = 100;

for (let part = 1; part <= Math.ceil(MAILBOXES / PART); part++) {
  const count = Math.min(PART, MAILBOXES - (part - 1) * PART);
  test(
    `mailboxes ${(part - 1) * PART + 1} to ${(part - 1) * PART + count}: no wrong code, and each right one within 2 s`,
    {
      skip: dovecotMissing ?? false,
    },
    async (t) => assertRightCodes(await storm(t, count, 1000 + part), t),
  );
}
