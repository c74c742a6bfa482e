import assert from "node:assert/strict";
import { test } from "node:test";
import { challengeOn } from "../../src/driver/challenges.ts";
import { givenPage } from "./support.ts";

const frame = (src: string): string => `<iframe srcdoc="<p>frame</p>" width="300" height="80" src="${src}"></iframe>`;

test("the usual challenges are told by their kind, what only speaks of them is not one", async (t) => {
  const page = await givenPage(t);
  const seen = async (html: string, own: string[] = []): Promise<string | null> => {
    await page.setContent(html);
    return (await challengeOn(page, own))?.detail ?? null;
  };
  for (const [html, detail] of [
    [frame("https://www.google.com/recaptcha/api2/bframe?k=1"), "captcha"],
    [frame("https://newassets.hcaptcha.com/captcha/v1/a"), "captcha"],
    [frame("https://challenges.cloudflare.com/cdn-cgi/challenge-platform/x"), "captcha"],
    ["<h1>Verify you are human</h1>", 'captcha: "Verify you are human"'],
    ["<h2>Verify your phone number</h2>", 'phone check: "Verify your phone number"'],
    ["<h1>We noticed unusual activity</h1>", 'suspicious sign-in: "We noticed unusual activity"'],
    ["<h1>Our updated terms</h1>", 'new terms: "Our updated terms"'],
  ] as const)
    assert.equal(await seen(html), detail);
  for (const html of [
    "<h1>Sign in</h1><p>Are you a human? Read our updated terms.</p>",
    frame("https://www.google.com/recaptcha/api2/anchor?size=invisible"),
    '<h1 style="display:none">Verify you are human</h1>',
  ])
    assert.equal(await seen(html), null);
  assert.equal(await seen("<h1>Unusual activity in the harbour</h1>", ["Unusual activity in the harbour"]), null, "an episode's own title");
});
