import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { FeedFigure } from "../scripts/bench/feed.ts";
import { renderRows, type Row } from "../scripts/bench/manager/report.ts";
import { managerParts } from "../scripts/bench/manager/run.ts";
import { postgresMissing } from "./support/postgres.ts";

const script = fileURLToPath(new URL("../scripts/bench.ts", import.meta.url));

async function bench(...args: string[]): Promise<{ code: number; out: string; said: string; pid: number }> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit") as Promise<[number]>]);
  return { code, out, said, pid: child.pid ?? 0 };
}

test("the manager's bench measures all that it names on each backend, overspends nothing, and leaves nothing behind", async () => {
  const { code, out, said, pid } = await bench("manager", "--quick", "--json");
  assert.equal(code, 0, said);
  const { quick, rows } = JSON.parse(out) as { quick: boolean; rows: Row[] };
  assert.equal(quick, true);
  for (const backend of postgresMissing ? (["pglite"] as const) : (["pglite", "postgres"] as const)) {
    const own = rows.filter((row) => row.backend === backend);
    const named = (start: string): Row[] => own.filter(({ what }) => what.startsWith(start));
    assert.deepEqual(
      ["get-by-id", "import", "100 creates", "links", "accounts", "groups", "requests", "projects", "stats", "pull"].map((start) => [
        start,
        named(start).length,
      ]),
      [
        ["get-by-id", 2],
        ["import", 1],
        ["100 creates", 1],
        ["links", 14],
        ["accounts", 1],
        ["groups", 1],
        ["requests", 1],
        ["projects", 1],
        ["stats", 2],
        ["pull", 1],
      ],
      said,
    );
    assert.deepEqual(
      named("100 creates").map(({ overspent, note }) => [overspent, note]),
      [[0, "50 made, 50 refused, 0 credits overspent"]],
    );
    for (const { what, ratio = 1, p50Ms = 1, p99Ms = 1, perSecond = 1, goal, met } of own) {
      for (const figure of [ratio, p50Ms, p99Ms, perSecond]) assert.ok(figure > 0 && Number.isFinite(figure), what);
      assert.ok(p99Ms >= p50Ms, what);
      assert.equal(typeof met, goal === undefined ? "undefined" : "boolean", what);
    }
  }
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith(`podcrew-bench-${pid}-`)),
    [],
  );
});

test("the table has each goal beside its figure, and the backends one below the other", () => {
  const rows: Row[] = [
    { what: "reads", backend: "pglite", perSecond: 1234.5 },
    {
      what: "lists",
      backend: "pglite",
      p50Ms: 1,
      p99Ms: 2.25,
      ratio: 1.5,
      of: "10 links",
      goal: "p99 <= 2 ms",
      met: false,
      note: "a note",
    },
    { what: "reads", backend: "postgres", perSecond: 3000, goal: ">= 3000/s", met: true },
  ];
  const [about = "", , head = "", ...lines] = renderRows(rows, ["a warning"]).split("\n");
  assert.match(about, /cores, Node .+; a warning$/);
  assert.deepEqual(head.split(/ {2,}/), ["", "a second", "p50 ms", "p99 ms", "ratio", "goal"]);
  assert.deepEqual(
    lines.map((line) => line.split(/ {2,}/)),
    [
      ["reads", "PGlite", "1,235"],
      ["reads", "PostgreSQL", "3,000", ">= 3000/s", "ok"],
      ["lists", "PGlite", "1.0", "2.3", "1.50× 10 links", "p99 <= 2 ms", "missed", "a note"],
    ],
  );
});

test("--help names every part, and what is no part is refused", async () => {
  const help = await bench("--help");
  assert.equal(help.code, 0);
  for (const part of ["farm", "manager", ...managerParts, "--quick", "--json"]) assert.ok(help.out.includes(part), part);
  for (const args of [["managers"], ["manager", "reeds"], ["farm", "reads"]]) {
    const { code, out, said } = await bench(...args);
    assert.deepEqual([code, out, said], [2, "", help.out]);
  }
});

test("the feed's bench finds every episode once on each backend, and leaves nothing behind", async () => {
  const { code, out, said, pid } = await bench("feed", "--quick", "--json");
  assert.equal(code, 0, said);
  const { figures } = JSON.parse(out) as { figures: FeedFigure[] };
  for (const backend of postgresMissing ? (["pglite"] as const) : (["pglite", "postgres"] as const)) {
    const own = figures.filter((figure) => figure.backend === backend);
    assert.ok(own.every(({ ms }) => ms > 0 && Number.isFinite(ms)));
    assert.match(own.at(-1)?.note ?? "", /^1,601 episodes on 3 pages/);
  }
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith(`podcrew-bench-${pid}-`)),
    [],
  );
});
