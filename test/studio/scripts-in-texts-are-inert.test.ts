import assert from "node:assert/strict";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { givenShow, givenStudio, signedIn, Visitor } from "./support.ts";

const attack = `"><script>alert(1)</script><img src=x onerror=alert(2)>`;

test("markup in a title, a search or a file name is text; scripts in a description are gone", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const about = `<p onclick="alert(3)">Hello <a href="javascript:alert(4)">there</a> <a href="https://example.com/?a=1&amp;b=2">and</a></p><script>alert(5)</script><iframe src="https://evil.example"></iframe><svg onload=alert(6)></svg><style>p{}</style>`;
  const guid = await maya.draft({ title: attack, about, fileName: `${attack}.wav` });
  const { json } = await maya.publish(guid);
  const paths = [
    "/shows/slow-mornings/episodes",
    `/shows/slow-mornings/episodes?search=${encodeURIComponent(attack)}`,
    `/shows/slow-mornings/episodes/${guid}/edit`,
    "/s/slow-mornings",
    new URL(String(json["link"])).pathname,
  ];
  for (const path of paths) {
    const { text, status } = await maya.get(path);
    assert.equal(status, 200);
    assert.doesNotMatch(text, /<script>alert|<img src=x|onclick|onerror=alert|javascript:|<iframe|<svg onload/, path);
  }
  const page = await maya.get(paths[4] ?? "");
  assert.match(
    page.text,
    /<p>Hello <a rel="noopener noreferrer nofollow" target="_blank">there<\/a> <a href="https:\/\/example\.com\/\?a=1&amp;b=2" rel="noopener noreferrer nofollow" target="_blank">and<\/a><\/p>/,
  );
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.equal((await maya.get("/feeds/slow-mornings.xml")).text.match(/<item>/g)?.length, 1);
});

test("what a visitor types on the sign-in page comes back as text", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  const visitor = new Visitor(studio.url);
  const { text } = await visitor.get(`/login?next=${encodeURIComponent(attack)}`);
  assert.doesNotMatch(text, /<script>alert/);
  assert.doesNotMatch((await visitor.submit("/login", { email: attack, password: "x", next: attack })).text, /<script>alert|<img src=x/);
});
