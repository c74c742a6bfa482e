import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fitHtml } from "../../src/media/html.ts";

const tags = ["p", "br", "strong", "em", "a", "ul", "ol", "li"];
const fit = (html: string, maxCharacters = 4000) => fitHtml(html, { tags, maxCharacters });
const says = (html: string) => fit(html).fixes.map(({ say }) => say);

test("what the site takes is left as it is", () => {
  const html =
    '<p>Nội dung <strong>tập 1</strong> &amp; “hết”</p><ul><li>một</li><li>hai</li></ul><p><a href="https://example.com/?a=1&amp;b=2">xem</a></p>';
  assert.deepEqual(fit(html), {
    html,
    text: "Nội dung tập 1 & “hết”\n\n• một\n\n• hai\n\nxem",
    fullText: "Nội dung tập 1 & “hết”\n\n• một\n\n• hai\n\nxem",
    fixes: [],
  });
});

test("scripts, styles, handlers and javascript: links are gone, and listed", () => {
  const html = `<p onclick="steal()">a<script>alert(1)</script></p><style>p{}</style><a href="java\tscript:alert(1)">b</a><img src=x onerror=alert(2)><iframe src="https://x"></iframe><svg onload=alert(3)>c</svg>`;
  const { html: clean, text, fixes } = fit(html);
  assert.equal(clean, "<p>a</p><p>b</p>");
  assert.equal(text, "a\n\nb");
  assert.deepEqual(
    fixes.map(({ say }) => say),
    [
      "about: <a> href that is no web address removed",
      "about: <a> unwrapped",
      "about: <iframe> removed",
      "about: <img> removed",
      "about: <img> src that is no web address removed",
      "about: <script> removed",
      "about: <style> removed",
      "about: <svg> removed",
      "about: event handlers removed",
    ],
  );
});

test("tags that the site does not know become what it knows", () => {
  assert.equal(
    fit("<article><h1>Tiêu đề</h1><div>một</div><div>hai <b>đậm</b> <i>nghiêng</i></div></article>").html,
    "<p><strong>Tiêu đề</strong></p><p>một</p><p>hai <strong>đậm</strong> <em>nghiêng</em></p>",
  );
  assert.equal(fit("<table><tr><td>1</td><td>2</td></tr></table><blockquote><p>câu</p></blockquote>").html, "<p>1 – 2</p><p>câu</p>");
  assert.equal(fitHtml("<h2>A</h2><ol><li>x</li><li>y</li></ol>", { tags: ["br"], maxCharacters: 100 }).html, "A<br><br>1. x<br><br>2. y");
  assert.deepEqual(says("<h1>a</h1><div>b</div>"), ["about: <div> unwrapped", "about: <h1> -> <p><strong>"]);
});

test("plain text becomes paragraphs", () => {
  const { html, text, fixes } = fit("dòng 1\ndòng 2\n\n1 < 2 & 3");
  assert.equal(html, "<p>dòng 1<br>dòng 2</p><p>1 &lt; 2 &amp; 3</p>");
  assert.equal(text, "dòng 1\ndòng 2\n\n1 < 2 & 3");
  assert.deepEqual(fixes, []);
});

test("notes that are too long are cut after a word; what is read aloud stays whole", () => {
  const { html, text, fullText, fixes } = fit(`<p>${"Xin chào &amp; <strong>các bạn</strong> ".repeat(50)}</p><p>hết</p>`, 200);
  assert.ok(html.length <= 200, String(html.length));
  assert.match(html, /^<p>Xin chào.*…<\/(?:strong><\/)?p>$/);
  assert.ok(text.endsWith("…"));
  assert.ok(fullText.endsWith("hết"));
  assert.match(fixes[0]?.say ?? "", /^about of \d+ characters -> cut to \d+ \(the site takes 200\)$/);
});

test("nothing at all stays nothing", () => {
  for (const empty of ["", "<p></p>", "<p> <br> </p>", "<!-- x -->", "   "]) assert.equal(fit(empty).html, "");
});

test("whatever comes in: within the limit, nothing but the site's tags, and stable", () => {
  const piece = fc.constantFrom(
    "<p>",
    "</p>",
    "<div>",
    "<b>",
    "</b>",
    "<h2>",
    "<ul><li>",
    "<script>",
    "</script>",
    "<a href='https://e.x/?a=1&b'>",
    "<a href=javascript:x>",
    "&amp;",
    "&lt;",
    "<",
    ">",
    '"',
    "ệ",
    "😀",
    " từ ",
    "<br>",
    "<table><tr><td>",
    "<!--",
    "<span onclick=x>",
    "\n\n",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 20, max: 200 }), (pieces, maxCharacters) => {
      const { html } = fit(pieces.join(""), maxCharacters);
      assert.ok(html.length <= maxCharacters, html);
      for (const [, tag] of html.matchAll(/<\/?([a-z0-9]+)/g)) assert.ok(tags.includes(tag ?? ""), html);
      assert.doesNotMatch(html, /<script|onclick=|href="javascript/i);
      assert.equal(fit(html).html, html);
    }),
    { numRuns: 300, seed: 7 },
  );
});

test("a hundred thousand nested tags do not overflow anything", () => {
  assert.equal(fit("<div>".repeat(20_000) + "x").text, "x");
});
