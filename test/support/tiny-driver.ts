import { defineDriver, z } from "../../src/driver/index.ts";

/** The driver for tiny-site.ts. */
export default defineDriver({
  site: "tiny",
  hosts: ["tiny.example.com"],
  account: z.object({ email: z.email(), password: z.string() }),
  tier: "drafts",
  settleMs: 100,
  refusals: {
    "account.refused": /the password is wrong/i,
    "account.locked": /too many tries/i,
    "account.challenged": { text: /are you a human/i, within: "h1" },
  },
  interruptions: [
    {
      shows: (page) => page.getByRole("dialog", { name: "News" }),
      dismiss: (page) => page.getByRole("button", { name: "Got it" }).click(),
    },
  ],
  publishRequest: { method: "POST", url: /\/api\/episodes\/\d+\/publish$/ },

  async isSignedIn({ page }) {
    await page.goto("/home");
    return page.getByRole("heading", { name: "Home" }).isVisible();
  },
  async signIn({ page, account, writeText }) {
    await page.goto("/login");
    await writeText(page.getByLabel("E-mail"), account.email);
    await writeText(page.getByLabel("Password"), account.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(/home/);
  },
  async find({ page }, { marker }) {
    await page.goto(`/episodes?q=${marker}`);
    const rows = await page.locator("[data-published=true]").all();
    return Promise.all(
      rows.map(async (row) => ({ id: (await row.getAttribute("data-id")) ?? "", link: `/e/${await row.getAttribute("data-id")}` })),
    );
  },
  async draft({ page, writeText }, episode) {
    await page.goto("/new");
    await writeText(page.getByLabel("Title"), episode.title);
    await writeText(page.getByLabel("Marker"), episode.marker);
    await writeText(page.getByLabel("About"), episode.aboutHtml);
    await page.getByRole("button", { name: "Save" }).click();
    return (await page.getByText(/^Saved \d+/).innerText()).replace("Saved ", "");
  },
  async publish({ page }, _episode, draftId) {
    await page.getByRole("button", { name: "Publish" }).click();
    if (!page.url().includes("/new")) return { link: page.url(), id: draftId ?? "" };
    const link = await Promise.race([
      page.getByRole("link", { name: "Public page" }).getAttribute("href"),
      page.waitForURL(/\/e\//).then(() => page.url()),
    ]);
    return { link: link ?? "", id: draftId ?? "" };
  },
  async feed() {
    return "/feed.xml";
  },
});
