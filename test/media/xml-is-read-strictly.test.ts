import assert from "node:assert/strict";
import { test } from "node:test";
import { readXml, XmlProblem } from "../../src/media/xml-read.ts";

const problem = (xml: string): string => {
  try {
    readXml(xml);
    return "";
  } catch (error) {
    assert.ok(error instanceof XmlProblem, String(error));
    return `${error.line}: ${error.message}`;
  }
};

test("elements, attributes and text come out as they were meant", () => {
  const root = readXml(`\uFEFF<?xml version="1.0"?>
<!-- a > b -->
<a one='1 &amp; "x"' two="&#x1F399;&#233;">x &lt; <![CDATA[y & <z>]]><b/> ]<b k="v">t</b></a>
`);
  assert.deepEqual(root, {
    name: "a",
    attributes: { one: '1 & "x"', two: "🎙é" },
    text: "x < y & <z> ]",
    line: 3,
    children: [
      { name: "b", attributes: {}, text: "", line: 3, children: [] },
      { name: "b", attributes: { k: "v" }, text: "t", line: 3, children: [] },
    ],
  });
});

test("each thing that XML forbids is refused with its line", () => {
  assert.equal(problem("<a>\n<b></a>"), "2: </a> stands where <b> of line 2 has to be closed");
  assert.equal(problem("<a>\n"), "2: <a> of line 1 is never closed");
  assert.equal(problem("<a>\n&nbsp;</a>"), "2: XML has no entity &nbsp;; write the character itself");
  assert.equal(problem("<a>R&D</a>"), '1: a bare "&"; in text it is &amp;');
  assert.equal(problem('<a k="1" k="2"/>'), "1: <a> has the attribute k twice");
  assert.equal(problem("<a k=1/>"), "1: the tag <a> is not well-formed");
  assert.equal(problem("<a/><b/>"), "1: <b> stands beside the first element");
  assert.equal(problem("<a/>x"), "1: text stands outside of the first element");
  assert.equal(problem("<a>1 < 2</a>"), '1: "<" begins no element; in text it is &lt;');
  assert.equal(problem("<a>\n\u0008</a>"), "2: the character U+0008 may not stand in XML");
  assert.equal(problem("<a>&#8;</a>"), "1: the character &#8; may not stand in XML");
  assert.equal(problem("<a>]]></a>"), '1: "]]>" may stand only at the end of a CDATA section');
  assert.equal(problem("<x:a/>"), "1: the prefix of <x:a> is not declared (xmlns:x=…)");
  assert.equal(problem("<a><![CDATA[x</a>"), "1: a CDATA section never ends");
  assert.equal(problem(" "), "1: there is no element");
  assert.match(problem("<a>".repeat(200)), /nested too deeply/);
});

test("a hundred thousand elements are read in a moment, and so are as many brackets", () => {
  const from = performance.now();
  assert.equal(readXml(`<a>${"<b k='v'>&amp;</b>\n".repeat(100_000)}</a>`).children.length, 100_000);
  assert.match(problem(`<a ${"x ".repeat(100_000)}`), /not well-formed/);
  assert.match(problem(`<a>${"<".repeat(100_000)}`), /begins no element/);
  assert.ok(performance.now() - from < 20_000);
});
