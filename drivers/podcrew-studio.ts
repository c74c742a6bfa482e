import { defineDriver, z, type DriverContext, type Episode } from "../src/driver/index.ts";

/** Podcrew's own studio: the embedded first target, and the example to start a driver of your own from. */
export default defineDriver({
  site: "podcrew-studio",
  hosts: ["127.0.0.1:8710", "localhost:8710"],
  account: z.object({ email: z.email(), password: z.string(), twofa: z.string().optional() }),
  tier: "drafts",
  settleMs: 5000,
  concurrency: 8,
  limits: {
    title: { maxCharacters: 200 },
    about: { tags: ["p", "br", "strong", "em", "ul", "ol", "li", "a", "h2", "h3", "blockquote"], maxCharacters: 20_000 },
    audio: { formats: ["mp3", "m4a", "wav"], maxBytes: 500 * 1024 * 1024 },
  },
  refusals: {
    "account.refused": /the e-mail or password is wrong/i,
    "account.locked": /^too many tries/i,
    "account.challenged": { text: /are you a human/i, within: "h1, h2" },
    "totp.refused": /that code is wrong or was used before/i,
    "content.refused": { text: /\S/, within: ".editor [role=alert]:not(.outage)" },
    "content.feed": { text: /feed is locked|not a podcast's RSS feed|names no owner's e-mail/i, within: ".import [role=alert]" },
    "content.unreachable": { text: /feed can't be fetched/i, within: ".import [role=alert]" },
    "site.unreachable": { text: /could not be mailed|asked for many ownership codes/i, within: ".import [role=alert]" },
  },
  // By id: it is looked for before each action, and a role is sought through the whole page.
  interruptions: [{ shows: (page) => page.locator("#whats-new"), dismiss: (page) => page.locator("#whats-new button").click() }],
  publishRequest: { method: "POST", url: /\/shows\/[^/]+\/episodes\/[^/]+\/publish$/ },

  async isSignedIn({ page }) {
    if (!page.url().endsWith("/dashboard")) await page.goto("/dashboard", quick);
    return page.getByRole("link", { name: "Sign out" }).isVisible();
  },
  async signIn({ page, account, totp, mailedCode, writeText }) {
    await page.goto("/login", quick);
    await writeText(page.getByLabel("E-mail"), account.email);
    await writeText(page.getByLabel("Password"), account.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(/\/(dashboard|login\/code)/, quick);
    if (page.url().includes("/dashboard")) return;
    const byMail = await page.getByLabel("Code from your e-mail").isVisible();
    const code = byMail || !account.twofa ? await mailedCode({ from: "studio@podcrew.example" }) : await totp(account.twofa);
    await writeText(page.getByLabel(/code/i), code);
    await page.getByRole("button", { name: "Verify" }).click();
    await page.waitForURL(/\/dashboard/, quick);
  },
  async find(site, episode) {
    return (await rows(site, episode, ["published", "scheduled"])).map(({ guid, link }) => ({ id: guid, link }));
  },
  async draft(site, episode, draftId) {
    const { page, step, writeText, writeHtml } = site;
    const id = draftId ?? (await rows(site, episode, ["draft", "processing"]))[0]?.guid;
    await page.goto(`${await show(site)}/episodes/${id ? `${id}/edit` : "new"}`, quick);
    await writeText(page.getByLabel("Title"), episode.title);
    await writeHtml(page.getByLabel("Description"), episode.aboutHtml);
    step("upload");
    if (episode.coverPath) await page.getByLabel("Cover").setInputFiles(episode.coverPath);
    await page.getByLabel("Audio").setInputFiles(episode.audioPath);
    if (episode.coverPath) await page.getByText("Cover ready").waitFor();
    await page.getByText("Audio ready").waitFor();
    await page.getByLabel("The voice is made by a machine").setChecked(episode.narrated);
    await page.getByRole("button", { name: "Save draft" }).click();
    await page.getByText("Draft saved").waitFor();
    return /episodes\/([^/]+)\/edit/.exec(page.url())?.[1];
  },
  async publish({ page }, _episode, draftId) {
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page.getByRole("button", { name: "Publish now" }).click();
    return { link: (await page.getByRole("link", { name: "Public page" }).getAttribute("href")) ?? "", id: draftId ?? "" };
  },
  async discard(site, episode, draftId) {
    const there = await rows(site, episode, ["draft", "processing"]);
    if (!there.some(({ guid }) => guid === draftId)) return;
    await site.page.goto(`${await show(site)}/episodes/${draftId}/edit`, quick);
    await site.page.getByRole("button", { name: "Delete draft" }).click();
    await site.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await site.page.waitForURL(/\/episodes(\?|$)/, quick);
  },
  async feed(site) {
    await site.page.goto(`${await show(site)}/distribution`, quick);
    return site.page.getByLabel("RSS link").inputValue();
  },
  importFeed: {
    publishRequest: { method: "POST", url: /\/import\/[^/]+\/confirm$/ },
    async find(site, feedUrl) {
      const { imports } = imported.parse(await json(site, "/import"));
      return imports.filter(({ feed }) => feed === feedUrl).map(({ guid, link }) => ({ id: guid, link }));
    },
    async prepare({ page, mailedCode, step, writeText }, feedUrl) {
      await page.goto("/import", quick);
      await writeText(page.getByLabel("RSS link of the show"), feedUrl);
      await page.getByRole("button", { name: "Continue" }).click();
      const [code, last] = [page.getByLabel("Ownership code"), page.getByRole("button", { name: "Import this show" })];
      await code.or(last).waitFor();
      if (await last.isVisible()) return;
      step("wait for the ownership code");
      await writeText(code, await mailedCode({ from: "studio@podcrew.example", pattern: /(\d{6}) is your ownership code/ }));
      await page.getByRole("button", { name: "Verify" }).click();
      await last.waitFor();
    },
    async confirm({ page }) {
      await page.getByRole("button", { name: "Import this show" }).click();
      return { link: (await page.getByRole("link", { name: "Show page" }).getAttribute("href")) ?? "" };
    },
  },
});

const quick = { waitUntil: "domcontentloaded" } as const;
const imported = z.object({ imports: z.array(z.object({ guid: z.string(), feed: z.string(), link: z.string() })) });
const listing = z.object({ episodes: z.array(z.object({ guid: z.string(), status: z.string(), file: z.string(), link: z.string() })) });

/** The address of the account's first show. */
async function show({ page }: DriverContext): Promise<string> {
  const known = /\/shows\/[^/?]+/.exec(page.url())?.[0];
  if (known) return known;
  if (!page.url().endsWith("/dashboard")) await page.goto("/dashboard", quick);
  return (await page.locator('a[href^="/shows/"]').first().getAttribute("href")) ?? "";
}

/** The episode's rows in the list: its audio file is named by its marker. Asked for as data, which saves a page. */
async function rows(site: DriverContext, episode: Episode, statuses: string[]) {
  const list = `${await show(site)}/episodes?search=${episode.marker}`;
  const ours = (row: { file: string; status: string }): boolean => row.file.startsWith(episode.marker) && statuses.includes(row.status);
  return listing.parse(await json(site, list)).episodes.filter(ours);
}

async function json({ request, page }: DriverContext, path: string): Promise<unknown> {
  const answer = await request.get(path, { headers: { accept: "application/json" }, maxRedirects: 0 });
  if (answer.ok()) return answer.json();
  // The page says in its own way what is wrong: a session that has ended, a challenge.
  await page.goto(path, quick);
  throw new Error(`${path} was answered with ${answer.status()}`);
}
