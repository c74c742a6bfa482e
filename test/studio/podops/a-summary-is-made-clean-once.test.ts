import assert from "node:assert/strict";
import { test } from "node:test";
import sanitizeHtml from "sanitize-html";
import { aboutOf, summaryOf } from "../../../src/studio/resources/summary.ts";

test("however often a show is listed, each summary is made clean once; what somebody wrote since is told instead", (t) => {
  const sent = Array.from({ length: 50 }, (_, n) => `<p>Tea <b>no. ${n}</b> &amp; <a href="https://example.com/${n}">more</a></p>`);
  const abouts = sent.map(aboutOf);
  const transform = t.mock.method(sanitizeHtml, "simpleTransform").mock;
  // The rule for links is made anew for each text that is made clean.
  const made = (): number => transform.calls.filter(({ arguments: [tag] }) => tag === "a").length;
  for (let listing = 0; listing < 3; listing++)
    assert.deepEqual(
      sent.map((text, n) => summaryOf(text, abouts[n] ?? "")),
      sent,
    );
  assert.equal(made(), 50);
  assert.equal(summaryOf(sent[0] ?? "", "<p>Coffee</p>"), "<p>Coffee</p>");
  assert.equal(summaryOf(sent[0] ?? "", abouts[1] ?? ""), abouts[1]);
  assert.equal(summaryOf(abouts[2] ?? "", abouts[2] ?? ""), abouts[2]);
  assert.equal(made(), 50);
});
