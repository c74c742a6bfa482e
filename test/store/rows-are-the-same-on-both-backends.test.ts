import assert from "node:assert/strict";
import { sql } from "kysely";
import { eachBareBackend } from "../support/store.ts";

eachBareBackend("rows hold the same kinds of values", async (_t, { store }) => {
  const db = store.part("farm");
  const { rows } =
    await sql`select 9007199254740991::int8 as "int8", (select count(*) from generate_series(1, 3)) as "count", 12345678901234567890.10::numeric as "numeric",
    '2026-11-21T02:34:00.123456+07'::timestamptz as "timestamptz", '2026-11-21 02:34:00'::timestamp as "timestamp", '2026-11-21'::date as "date",
    '{"a": [1, null]}'::jsonb as "jsonb", '[1]'::json as "json", '\\x00ff'::bytea as "bytea", '{1,2,null}'::int8[] as "int8s", '{a,"b c"}'::text[] as "texts",
    '1 day 2 hours'::interval as "interval", true as "bool", null::text as "none", 'phở'::text as "text",
    '{2026-11-21T00:00:00Z}'::timestamptz[] as "timestamptzs", 1.5::float8 as "float8"`.execute(db);
  assert.deepEqual(rows, [
    {
      int8: 9_007_199_254_740_991,
      count: 3,
      numeric: "12345678901234567890.10",
      timestamptz: new Date("2026-11-20T19:34:00.123Z"),
      timestamp: "2026-11-21 02:34:00",
      date: "2026-11-21",
      jsonb: { a: [1, null] },
      json: [1],
      bytea: Buffer.from([0, 255]),
      int8s: [1, 2, null],
      texts: ["a", "b c"],
      interval: "1 day 02:00:00",
      bool: true,
      none: null,
      text: "phở",
      timestamptzs: [new Date("2026-11-21T00:00:00Z")],
      float8: 1.5,
    },
  ]);
});
