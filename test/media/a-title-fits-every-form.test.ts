import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure, sayFailure } from "../../src/contract/failures.ts";
import { fitTitle } from "../../src/media/title.ts";

test("a title that fits is left as it is, letter by letter", () => {
  for (const title of ["Tập 1: SEO On-page cơ bản", "Vie\u0323\u0302t Nam (decomposed)", "👩‍👩‍👧 family & <friends> “quoted”"])
    assert.deepEqual(fitTitle(title, 200), { title, fixes: [] });
});

test("a title of 1,000 characters is cut after a word, and that is listed", () => {
  const { title, fixes } = fitTitle("Chuyện nhà ".repeat(91).slice(0, 1000), 100);
  assert.ok(title.length <= 100 && title.endsWith(" nhà…"), title);
  assert.deepEqual(fixes, [{ field: "title", say: `title of 1000 characters -> cut to ${title.length} (the site takes 100)` }]);
});

test("a single word that is too long is cut between letters, never inside one", () => {
  const { title } = fitTitle("e\u0323\u0302".repeat(100), 50);
  assert.match(title, /^(?:e\u0323\u0302)+…$/);
  const { title: faces } = fitTitle("👩‍👩‍👧".repeat(40), 50);
  assert.match(faces, /^(?:👩‍👩‍👧)+…$/u);
  assert.ok(faces.length <= 50);
});

test("line breaks, tabs and control characters do not reach a form", () => {
  const { title, fixes } = fitTitle("  a\u0000b\t\n c\u200B \u202Ed ", 100);
  assert.equal(title, "ab c d");
  assert.deepEqual(
    fixes.map(({ say }) => say),
    ["title: control characters removed", "title: runs of white space -> one space"],
  );
});

test("no title: the sentence says what to do", () => {
  for (const title of ["", "  \n ", "\u200B\u0007"]) {
    assert.throws(
      () => fitTitle(title, 100),
      (error: unknown) => error instanceof Failure && error.code === "content.title" && sayFailure(error).endsWith("Give it one."),
    );
  }
});
