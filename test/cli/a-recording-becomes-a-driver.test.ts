import assert from "node:assert/strict";
import { test } from "node:test";
import { recordedDriver, stepsOf } from "../../src/cli/driver/recorded.ts";

/** As the recorder of Playwright 1.65 writes it. */
const script = `const { chromium } = require('playwright');

(async () => {
  const browser = await chromium.launch({
    headless: false
  });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto('https://studio.example.com/login');
  await page.getByRole('textbox', { name: 'E-mail' }).click();
  await page.getByRole('textbox', { name: 'E-mail' }).fill('me@example.com');
  await page.getByRole('textbox', { name: 'Password' }).fill('pass-Word-1!');
  await page.getByRole('textbox', { name: 'Secret word' }).fill('swordfish');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('textbox', { name: 'Code' }).fill('123456');
  await page.getByRole('link', { name: 'New' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill('My try');
  await page.locator('.ql-editor').fill('About it');
  await page.getByRole('button', { name: 'Audio' }).setInputFiles('try.mp3');
  await page.getByRole('spinbutton', { name: 'Season' }).fill('2');
  await page.getByRole('button', { name: 'Publish' }).click();

  // ---------------------
  await context.close();
  await browser.close();
})();
`;

test("steps go into the verbs by the person's marks; what was typed while signing in is not kept", () => {
  const lines = stepsOf(script);
  assert.equal(lines.length, 13);
  const text = recordedDriver("my-studio", "https://studio.example.com", {
    lines,
    marks: { draft: 7, publish: 12 },
    requests: [
      { method: "POST", url: "https://studio.example.com/api/shows/main/episodes/8f14e45fceea167a5a36/publish" },
      { method: "POST", url: "https://studio.example.com/metrics" },
    ],
  });
  const body = (verb: string): string => new RegExp(`async ${verb}\\([^]*?\\n  \\},`).exec(text)?.[0] ?? "";
  assert.match(
    body("signIn"),
    /signIn\(\{ page, account, totp, writeText \}\) \{\n {4}await page\.goto\('\/login'\);\n {4}await writeText\(page\.getByRole\('textbox', \{ name: 'E-mail' \}\), account\.email\);\n.*writeText\(.*, account\.password\);\n.*writeText\(.*, ""\); \/\/ say what goes here.*\n.*click\(\);\n.*writeText\(.*, await totp\(account\.twofa\)\);\n/,
  );
  assert.match(
    body("draft"),
    /writeText\(.*, episode\.title\);\n {4}await writeHtml\(page\.locator\('\.ql-editor'\), episode\.aboutHtml\);\n.*setInputFiles\(episode\.audioPath\);\n.*writeText\(.*, '2'\);/,
  );
  assert.match(
    body("publish"),
    /^async publish\(\{ page \}, _episode, draftId\) \{\n {4}await page\.getByRole\('button', \{ name: 'Publish' \}\)\.click\(\);\n {4}return/,
  );
  assert.match(text, /account: z\.object\(\{ email: z\.email\(\), password: z\.string\(\), twofa: z\.string\(\) \}\),/);
  assert.match(text, /publishRequest: \{ method: "POST", url: \/\\\/api\\\/shows\\\/main\\\/episodes\\\/\[\^\/\]\+\\\/publish\$\/ \},/);
  for (const secret of ["pass-Word-1!", "swordfish", "123456", "me@example.com"]) assert.ok(!text.includes(secret), secret);
});

test("a recording that was never marked goes into signIn, and the rest stays as the scaffold has it", () => {
  const text = recordedDriver("my-studio", "https://studio.example.com", { lines: stepsOf(script), marks: {}, requests: [] });
  assert.match(text, /async signIn[^]*name: 'Publish' \}\)\.click\(\);[^]*async find/);
  assert.ok(!text.includes("My try"));
});
