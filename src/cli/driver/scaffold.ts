/** The driver that an author starts from: complete, checked, and made of the selectors that most studios answer to. */
export function driverText(site: string, origin: string): string {
  return `import { defineDriver, z } from "podcrew/driver";

export default defineDriver({
  site: "${site}",
  origin: "${origin}",
  // Which of email, username, password, passMail, twofa and appPassword the site needs.
  account: z.object({ email: z.email(), password: z.string() }),
  // drafts: saved first, then published by their id. list: published at once, and listed. blind: neither.
  tier: "drafts",
  // Text selectors hold in one language only: the browser asks the site for this one.
  locale: "en-US",
  // What the page says when it does not let us in, and the code that this means (src/FAILURES.md has all).
  refusals: {
    "account.refused": /wrong password|incorrect/i,
    "account.challenged": { text: /are you a human/i, within: "h1, h2" },
  },
  // Pop-ups that may come at any time: { shows: (page) => page.getByRole("dialog", …), dismiss: (page) => … }
  interruptions: [],
  // The one request that makes an episode public; nothing else may match. The browser's network panel shows it at the click.
  publishRequest: { method: "POST", url: /\\/episodes\\/[^/]+\\/publish$/ },

  // Opens a page that only members see and says whether it came.
  async isSignedIn({ page }) {
    await page.goto("/dashboard");
    return page.getByRole("link", { name: "Sign out" }).isVisible();
  },

  // Ends signed in, or with a refusal's words on the page.
  async signIn({ page, account, writeText }) {
    await page.goto("/login");
    await writeText(page.getByLabel("E-mail"), account.email);
    await writeText(page.getByLabel("Password"), account.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    // A second factor: await totp(account.twofa), or await mailedCode({ from: "no-reply@…" }); both are given beside \`page\`.
    await page.waitForURL(/dashboard/);
  },

  // All published copies of the episode, by something of ours that the site keeps: the audio file's name is the marker.
  // [] means "surely none", so wait until the list is there.
  async find({ page }, { marker }) {
    await page.goto(\`/episodes?search=\${marker}\`);
    await page.getByRole("heading", { name: "Episodes" }).waitFor();
    const links = await page.getByRole("link", { name: marker }).all();
    return Promise.all(links.map(async (link) => ({ link: (await link.getAttribute("href")) ?? "" })));
  },

  // Fills everything in, up to the last button. Repeatable: continues \`draftId\`. Returns the draft's id.
  async draft({ page, writeText, writeHtml }, episode, draftId) {
    await page.goto(draftId ? \`/episodes/\${draftId}/edit\` : "/episodes/new");
    await writeText(page.getByLabel("Title"), episode.title);
    await writeHtml(page.getByLabel("Description"), episode.aboutHtml);
    if (episode.coverPath) await page.getByLabel("Cover").setInputFiles(episode.coverPath);
    await page.getByLabel("Audio").setInputFiles(episode.audioPath);
    await page.getByText("Audio ready").waitFor();
    await page.getByRole("button", { name: "Save draft" }).click();
    await page.getByText("Draft saved").waitFor();
    return /episodes\\/([^/]+)\\/edit/.exec(page.url())?.[1];
  },

  // The one thing that can't be undone. Returns what the site shows afterwards.
  async publish({ page }, _episode, draftId) {
    await page.getByRole("button", { name: "Publish" }).click();
    return { link: (await page.getByRole("link", { name: "Public page" }).getAttribute("href")) ?? "", id: draftId ?? "" };
  },

  // Takes a draft away that nobody will publish; one that is gone already is fine.
  async discard({ page }, _episode, draftId) {
    await page.goto(\`/episodes/\${draftId}/edit\`);
    const remove = page.getByRole("button", { name: "Delete draft" });
    if (!(await remove.isVisible())) return;
    await remove.click();
    await page.waitForURL(/\\/episodes$/);
  },

  // The show's RSS link.
  async feed({ page }) {
    await page.goto("/settings");
    return page.getByLabel("RSS").inputValue();
  },
});
`;
}

export function testText(site: string): string {
  return `import { driverBench, targetFromEnvironment } from "podcrew/driver";
import driver from "./${site}.ts";

// Runs against DRIVER_URL (a twin of the site, or the site itself) with the account in the JSON file DRIVER_ACCOUNT. It really
// publishes one episode there: never a show with listeners. What more the bench may know stands in the README's table, such as
// targetFromEnvironment({ shown: { title: "h1", about: ".show-notes" } }), which then checks that texts arrive intact.
driverBench(driver, { target: targetFromEnvironment });
`;
}

/** For editors and tsc: where the types of \`podcrew/driver\` are. Paths are relative to the folder, or absolute. */
export function tsconfigText(types: string, typeRoot: string | null): string {
  const compilerOptions = {
    target: "es2024",
    module: "esnext",
    moduleResolution: "bundler",
    lib: ["es2025", "dom", "dom.iterable"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    types: typeRoot ? ["node"] : [],
    ...(typeRoot && { typeRoots: [typeRoot] }),
    paths: { "podcrew/driver": [types] },
  };
  return `${JSON.stringify({ compilerOptions, include: ["*.ts"] }, null, 2)}\n`;
}
