import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createLog, type LogOptions } from "../../src/kit/log.ts";

function lines(options: Omit<LogOptions, "stream">, write: (log: ReturnType<typeof createLog>) => void): string[] {
  const stream = new PassThrough();
  write(createLog({ ...options, stream }));
  return stripVTControlCharacters(String(stream.read() ?? ""))
    .split("\n")
    .filter(Boolean);
}

test("JSON lines carry the fields of the log and of the line, the line's win", () => {
  const [line = ""] = lines({ level: "info", format: "json" }, (log) =>
    log.child({ part: "farm", task: "t1" }).child({ episode: "e1" }).info("posted", { task: "t2", link: "https://x.example/1" }),
  );
  const { timestamp, ...rest } = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual(rest, { level: "info", message: "posted", part: "farm", task: "t2", episode: "e1", link: "https://x.example/1" });
  assert.ok(Math.abs(Date.now() - Date.parse(timestamp as string)) < 10_000);
});

test("pretty lines read like a sentence with its particulars behind", () => {
  const [line] = lines({ level: "info", format: "pretty" }, (log) =>
    log.warn("tried again", { site: "studio.example", attempt: 2, skipped: undefined }),
  );
  assert.match(line ?? "", /^\d\d:\d\d:\d\d warn {10}tried again {2}site=studio\.example attempt=2$/);
});

test("lines below the level are not written, silent writes none", () => {
  assert.deepEqual(
    lines({ level: "warn", format: "json" }, (log) => log.info("x")),
    [],
  );
  assert.deepEqual(
    lines({ level: "silent", format: "json" }, (log) => log.error("x")),
    [],
  );
});

for (const format of ["json", "pretty"] as const) {
  test(`errors show their stack and cause, and nothing that can be logged breaks the log (${format})`, () => {
    const circle: Record<string, unknown> = { name: "ring" };
    circle["self"] = circle;
    const [first = "", ...more] = lines({ level: "debug", format }, (log) =>
      log.error("failed", {
        error: new Error("outer", { cause: new TypeError("inner") }),
        circle,
        big: 12n,
        map: new Map([["a", 1]]),
        message: "a field of that name",
        level: "mine",
        unwilling: {
          toJSON() {
            throw new Error("no");
          },
        },
      }),
    );
    const all = [first, ...more].join("\n");
    for (const part of ["failed", "Error: outer", "caused by: TypeError: inner", "a-log-line-says-who-and-what"])
      assert.ok(all.includes(part), `${part} in ${all}`);
  });
}

test("the same object twice is no circle", () => {
  const shared = { id: 1 };
  const [line = ""] = lines({ level: "info", format: "json" }, (log) => log.info("x", { a: shared, b: shared, c: { d: shared } }));
  const { a, b, c } = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual({ a, b, c }, { a: shared, b: shared, c: { d: shared } });
});

test("an endless line is cut", () => {
  const [line = ""] = lines({ level: "info", format: "json" }, (log) => log.info("x".repeat(100_000)));
  assert.ok(line.length < 33_000);
  assert.match(line, /more characters\)$/);
});
