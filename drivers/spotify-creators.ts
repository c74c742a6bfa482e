import { defineDriver, z, type DriverContext, type Entry } from "../src/driver/index.ts";

/**
 * Spotify for Creators (once Anchor), in English. Built from public descriptions, rehearse before use: the sign-in, the wizard, the
 * list's addresses and the publish request are described by people who automated them; what stands in a row of the list is not.
 */
export default defineDriver({
  site: "spotify-creators",
  hosts: ["creators.spotify.com"],
  locale: "en-US",
  /** `username`: the show's id, as it follows /pod/show/ in the studio's addresses. Without `appPassword` a mailed code is passed over for the password. */
  account: z.object({ email: z.string(), password: z.string(), username: z.string(), appPassword: z.string().optional() }),
  // It has drafts, but nothing of ours that its list shows again: an episode is known by its id, and by its title where that is lost.
  tier: "list",
  settleMs: 120_000,
  limits: {
    title: { maxCharacters: 200 },
    about: { tags: ["p", "br", "strong", "em", "ul", "ol", "li", "a"], maxCharacters: 3900 },
    audio: { formats: ["mp3", "m4a", "wav"], maxBytes: 2 * 1024 * 1024 * 1024 },
  },
  refusals: {
    "account.refused": /incorrect (username|e-?mail).{0,20}password/i,
    "account.locked": /too many (attempts|tries)/i,
    "account.challenged": { text: /human|robot|captcha|unusual/i, within: "h1, h2" },
    "totp.refused": /code is (incorrect|wrong|invalid)/i,
    // Said of a sign-in that the next try may pass.
    "site.unreachable": { text: /something went wrong/i, within: "[role=alert]" },
    "content.refused": { text: /couldn.t publish/i, within: "[role=status], [role=alert]" },
  },
  interruptions: [
    {
      shows: (page) => page.locator("#onetrust-banner-sdk"),
      dismiss: (page) => page.locator("#onetrust-reject-all-handler, #onetrust-accept-btn-handler").first().click(),
    },
    {
      shows: (page) => page.locator('[class*="ab-iam-root"]'),
      dismiss: (page) => page.locator('[class*="ab-iam-root"]').getByRole("button").first().click(),
    },
  ],
  // The same address saves a draft.
  publishRequest: { method: "POST", url: /\/v3\/episodes\/[^/]+\/update\b/, body: /"isPublished":\s*true/ },

  async isSignedIn({ page, account }) {
    await page.goto(listOf(account), quick);
    const heading = page.getByRole("heading", { name: "Episodes", exact: true });
    await heading.or(page.getByText("Continue with Spotify")).first().waitFor();
    return heading.isVisible();
  },
  async signIn({ page, account, mailedCode, writeText }) {
    await page.goto(listOf(account), quick);
    await page.getByRole("button", { name: "Continue with Spotify" }).click();
    await writeText(page.getByTestId("login-username"), account.email);
    await page.getByTestId("login-button").click();
    const code = page.getByText("Enter the 6-digit code");
    const password = page.locator("#password");
    await code.or(password).first().waitFor();
    const byMail = await code.isVisible();
    if (byMail && account.appPassword) {
      await page.getByRole("textbox").first().click();
      // One box or six: the site moves on from digit to digit.
      await page.keyboard.type(await mailedCode({ from: "@spotify.com" }));
      await page.getByRole("button", { name: /^(log in|continue)$/i }).click();
    } else {
      if (byMail) await page.getByRole("button", { name: "Log in with a password" }).click();
      await writeText(password, account.password);
      await page.getByTestId("login-button").click();
    }
    await page.getByRole("heading", { name: "Episodes", exact: true }).waitFor();
  },
  async list(site) {
    return published(site);
  },
  async draft(site, episode, draftId) {
    const { page, account, step, writeText, writeHtml } = site;
    const drafts = await read(site, DRAFTS);
    // By its id, and then by nothing else: a draft that is gone was published, or taken away by a person.
    const kept = draftId ?? drafts.find(({ title }) => title === episode.title)?.id;
    if (kept) await row(site, kept).click();
    else await page.goto(`/pod/show/${account.username}/episode/wizard`, quick);
    // Also into a draft: which recording it has can't be seen, and it may have been mended since.
    step("upload");
    const ready = page.getByText("Preview ready!");
    await Promise.all([
      // What a draft says at first is of the recording that it has.
      kept ? ready.waitFor({ state: "hidden" }) : null,
      page.locator('input[type="file"]:not([accept^="image"])').first().setInputFiles(episode.audioPath),
    ]);
    await ready.waitFor();
    await writeText(page.locator("#title-input"), episode.title);
    await writeHtml(page.locator('div[role="textbox"]'), episode.aboutHtml);
    if (episode.coverPath) {
      const crop = page.locator('[data-encore-id="dialogConfirmation"]');
      await page.locator('input[type="file"][accept^="image"]').setInputFiles(episode.coverPath);
      await crop.getByRole("button", { name: "Save" }).click();
      await crop.waitFor({ state: "hidden" });
    }
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Save draft" }).click();
    await page.getByRole("heading", { name: "Episodes", exact: true }).waitFor();
    const saved = await read(site, DRAFTS);
    const id = kept ?? saved.find(({ title }) => title === episode.title)?.id ?? "";
    await row(site, id).click();
    await page.getByRole("button", { name: "Next" }).click();
    await page.locator("#publish-date-now").check({ force: true });
    return id;
  },
  async publish(site, _episode, draftId) {
    const { page } = site;
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page.getByRole("button", { name: "Done" }).click();
    // Left open, the wizard may leave an "Untitled" draft behind. Such drafts are left to people: they may be theirs.
    return (await published(site)).find(({ id }) => id === draftId);
  },
  async discard(site, _episode, draftId) {
    if ((await read(site, DRAFTS)).some(({ id }) => id === draftId)) await remove(site, draftId);
  },
  /** Under Settings > Availability; a show whose feed is off has none. */
  async feed({ page, account }) {
    await page.goto(`/pod/show/${account.username}/podcast/distribution`, quick);
    const shown = await page.getByText(FEED).first().innerText();
    return FEED.exec(shown)?.[0] ?? "";
  },
});

type Site = Pick<DriverContext<{ username: string }>, "page" | "account">;
const quick = { waitUntil: "domcontentloaded" } as const;
const FEED = /https?:\/\/\S+\/podcast\/rss\b/;
const DRAFTS = "?filter=DRAFT_EPISODES&currentPage=1";

function listOf({ username }: Site["account"]): string {
  return `/pod/show/${username}/episodes`;
}

/** The first page of the list, newest first, once it is there or says that there is nothing. */
async function read({ page, account }: Site, filter = ""): Promise<Entry[]> {
  await page.goto(`${listOf(account)}${filter}`, quick);
  const rows = page.locator('a[href*="/episode/"]:not([href*="/episode/wizard"])');
  await rows
    .or(page.getByText(/^(no|you don.t have any) (draft )?episodes|nothing to show/i))
    .first()
    .waitFor();
  return rows.evaluateAll((links) =>
    links.map((link) => ({
      id: /\/episode\/([^/?#]+)/.exec(link.getAttribute("href") ?? "")?.[1] ?? "",
      title: link.textContent?.trim() ?? "",
      link: "",
    })),
  );
}

/** What is listed and no draft. */
async function published(site: Site): Promise<Entry[]> {
  const drafts = new Set((await read(site, DRAFTS)).map(({ id }) => id));
  return (await read(site)).filter(({ id }) => !drafts.has(id));
}

/** From the list of drafts that stands on the page. */
async function remove(site: Site, id: string): Promise<void> {
  const { page } = site;
  await page
    .locator("li, tr")
    .filter({ has: row(site, id) })
    .getByRole("button", { name: /options menu/i })
    .click();
  await page.getByRole("menuitem", { name: "Delete episode" }).click();
  await page.getByRole("button", { name: /^yes, delete/i }).click();
  await row(site, id).waitFor({ state: "hidden" });
}

function row({ page }: Site, id: string) {
  return page.locator(`a[href*="/episode/${id}/"], a[href$="/episode/${id}"]`).first();
}
