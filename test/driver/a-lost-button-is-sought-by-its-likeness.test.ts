import assert from "node:assert/strict";
import { test } from "node:test";
import { likeness, sayWanted, wantedIn } from "../../src/driver/nearest.ts";
import { readOutline } from "../../src/driver/page-outline.ts";

test("the locator is read out of Playwright's error, with how it was found", () => {
  const log = (lines: string): string => `locator.click: Timeout 700ms exceeded.\nCall log:\n\u001b[2m  - ${lines}\u001b[22m\n`;
  const cases: [string, { text: string; found: string } | null][] = [
    [log("waiting for getByLabel('E-mail')"), { text: "getByLabel('E-mail')", found: "not there" }],
    [log("waiting for getByText(/^Audio (is )?ready/) to be visible"), { text: "getByText(/^Audio (is )?ready/)", found: "not there" }],
    [
      log(
        "waiting for getByRole('button', { name: 'Send' })\n    - locator resolved to <button disabled>Send</button>\n      - element is not enabled",
      ),
      { text: "getByRole('button', { name: 'Send' })", found: "there, but element is not enabled" },
    ],
    [
      "writeText: for 20 s nothing that was typed came to the field\n  - waiting for getByLabel('Password')\n  - element is inert",
      { text: "getByLabel('Password')", found: "there, but element is inert" },
    ],
    [
      log("waiting for getByText('a')\n    - locator resolved to <p>a</p>\n      - <div id=\"veil\">x</div> intercepts pointer events"),
      { text: "getByText('a')", found: 'there, but <div id="veil">x</div> intercepts pointer events' },
    ],
    [
      "locator.click: Error: strict mode violation: getByRole('button') resolved to 4 elements:\n",
      { text: "getByRole('button')", found: "there 4 times" },
    ],
    ['page.waitForURL: Timeout 700ms exceeded.\nwaiting for navigation until "load"', null],
    ["the episode's own words: waiting for the bus", null],
  ];
  for (const [message, wanted] of cases) assert.deepEqual(wantedIn(message), wanted, message);
});

test("an accessibility tree is read, names with colons and quotes too", () => {
  const outline = `- heading "Title" [level=1]
- button "Say \\"hi\\"" [disabled]
- 'button "Release: now"'
- link "Open":
  - /url: /foo
- textbox "E-mail": me@example.com
- paragraph: Some words
# frame editor
- text: inside`;
  assert.deepEqual(readOutline(outline), [
    { role: "heading", name: "Title" },
    { role: "button", name: 'Say "hi"' },
    { role: "button", name: "Release: now" },
    { role: "link", name: "Open" },
    { role: "textbox", name: "E-mail" },
    { role: "paragraph", name: "Some words" },
    { role: "text", name: "inside" },
  ]);
});

test("likeness knows no case and no punctuation, and Chinese as well", () => {
  assert.equal(likeness("Publish", "publish!"), 1);
  assert.ok(likeness("E-mail", "E-mail address") > likeness("E-mail", "Password"));
  assert.ok(likeness("上傳單集", "上傳新單集") > 0.5);
  assert.equal(likeness("立即發佈", "Delete"), 0);
  assert.equal(likeness("", ""), 0);
});

test("what is there and can't be used needs no likeness; what is nowhere is said so", () => {
  const wanted = { text: "getByText('a')", found: "there, but element is not enabled" };
  assert.equal(
    sayWanted(wanted, [{ locator: "getByText('b')", likeness: 1 }]),
    "looked for  getByText('a')\nit was      there, but element is not enabled",
  );
  assert.match(sayWanted({ text: "getByText('a')", found: "not there" }, []), /nothing on the page is like it$/);
});
