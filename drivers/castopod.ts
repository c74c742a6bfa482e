import { defineDriver, z, type DriverContext } from "../src/driver/index.ts";

/**
 * Castopod, on anybody's own server: name yours in SITES. Built from public descriptions (its source is open), rehearse before use.
 *
 * The episode's slug is its marker. Fields are found by the names that their forms send, as the labels follow the visitor's
 * language. It posts to the first podcast that the account sees, with an empty announcement.
 */
export default defineDriver({
  site: "castopod",
  hosts: [],
  account: z.object({ email: z.email(), password: z.string() }),
  tier: "drafts",
  limits: {
    // Notes of 4,000 characters as Markdown, whose marks count too.
    about: { tags: ["p", "br", "strong", "em", "ul", "ol", "li", "a"], maxCharacters: 3500 },
    cover: { minPixels: 1400, maxPixels: 3000, maxBytes: 500 * 1024 },
    audio: { formats: ["mp3", "m4a"], maxBytes: 512 * 1024 * 1024 },
  },
  refusals: {
    "account.refused": /unable to log you in/i,
    "account.locked": /too many requests/i,
    // Not what stands in a form: there it warns of what the form would do.
    "content.refused": { text: /\S/, within: "div > [role=alert].bg-red-100" },
  },
  publishRequest: { method: "POST", url: /\/cp-admin\/podcasts\/\d+\/episodes\/\d+\/publish$/ },

  async isSignedIn({ page }) {
    await page.goto("/cp-admin/podcasts");
    return new URL(page.url()).pathname.startsWith("/cp-admin");
  },
  async signIn({ page, account, writeText }) {
    await page.goto("/cp-auth/login");
    await writeText(page.locator('[name="email"]'), account.email);
    await writeText(page.locator('[name="password"]'), account.password);
    await page.locator('form[method="POST" i] button[type="submit"]').click();
    await page.waitForURL(/\/cp-admin/);
  },
  /** The public page of a draft is not there, also for its owner. */
  async find(site, { marker }) {
    const link = `/@${(await podcast(site)).handle}/episodes/${marker}`;
    const answer = await site.request.get(link);
    if (answer.status() === 404) return [];
    if (!answer.ok()) throw new Error(`the episode's page was answered with ${answer.status()}`);
    return [{ link }];
  },
  async draft(site, episode, draftId) {
    const { page, step, writeText } = site;
    const { id } = await podcast(site);
    const known = draftId ?? (await leftOver(site, id, episode.marker));
    await page.goto(`/cp-admin/podcasts/${id}/episodes/${known ? `${known}/edit` : "new"}`);
    await writeText(page.locator('[name="title"]'), episode.title);
    await writeText(page.locator('[name="description"]'), await page.evaluate(toMarkdown, episode.aboutHtml));
    if (!known) {
      const slug = page.locator('[name="slug"]');
      // It can't be written in before it has the focus.
      await slug.focus();
      await writeText(slug, episode.marker);
    }
    // Also into a draft: which recording it has can't be seen, and it may have been mended since.
    step("upload");
    await page.locator('[name="audio_file"]').setInputFiles(episode.audioPath);
    if (episode.coverPath) await page.locator('[name="cover"]').setInputFiles(episode.coverPath);
    const save = known ? 'button[form="episode-edit-form"]' : 'form[enctype="multipart/form-data"] button[type="submit"]';
    await page.locator(save).click();
    await page.waitForURL(/\/episodes\/\d+$/);
    const saved = /\d+$/.exec(page.url())?.[0] ?? "";
    await page.goto(`/cp-admin/podcasts/${id}/episodes/${saved}/publish`);
    return saved;
  },
  async publish(site, { marker }, draftId) {
    const { page } = site;
    const submit = page.locator('form[data-submit="validate-message"] button[type="submit"]');
    // The first click only warns that there is no announcement.
    await submit.click();
    await page.locator("#publish-warning").waitFor();
    await submit.click();
    await page.waitForURL(/\/episodes\/\d+$/);
    return { link: `/@${(await podcast(site)).handle}/episodes/${marker}`, id: draftId ?? "" };
  },
  async discard(site, { marker }, draftId) {
    const { page } = site;
    const { id } = await podcast(site);
    if ((await leftOver(site, id, marker)) !== draftId) return;
    await page.goto(`/cp-admin/podcasts/${id}/episodes/${draftId}/delete`);
    await page.locator('[name="understand"]').check();
    await page.locator('form[method="POST" i] button[type="submit"]').click();
    await page.waitForURL((url) => !url.pathname.endsWith("/delete"));
  },
  async feed(site) {
    return `/@${(await podcast(site)).handle}/feed.xml`;
  },
});

type Site = DriverContext<{ email: string; password: string }>;

/** The first one that the account sees. */
async function podcast({ page, request }: Site): Promise<{ id: string; handle: string }> {
  const html = await (await request.get("/cp-admin/podcasts")).text();
  const [, id, handle] = /\/cp-admin\/podcasts\/(\d+)"[\s\S]*?>@(\w+)</.exec(html) ?? [];
  if (id && handle) return { id, handle };
  // The page says in its own way what is wrong: a session that has ended, an outage.
  await page.goto("/cp-admin/podcasts");
  throw new Error("the account sees no podcast");
}

/** The draft with our slug; one that is out can't be deleted, and its row offers no such thing. */
async function leftOver({ page }: Site, podcastId: string, marker: string): Promise<string | null> {
  await page.goto(`/cp-admin/podcasts/${podcastId}/episodes?q=${marker}`);
  await page.locator('input[name="q"]').waitFor();
  const remove = page.locator(`tr:has(a[href$="/episodes/${marker}"]) a[href$="/delete"]`);
  if ((await remove.count()) === 0) return null;
  return /\/episodes\/(\d+)\/delete$/.exec((await remove.first().getAttribute("href")) ?? "")?.[1] ?? null;
}

/** Runs in the page. HTML is shown as it is written there, so that the notes go as CommonMark; every mark of their own is escaped. */
function toMarkdown(html: string): string {
  const inline = (node: Node): string => Array.from(node.childNodes, one).join("");
  const item = (node: Node, mark: string): string => `${mark} ${inline(node).trim().replaceAll("\n", "\n  ")}`;
  const one = (node: Node): string => {
    if (!(node instanceof Element)) return (node.textContent ?? "").replace(/\s+/g, " ").replace(/[\\`*_[\]<>"'&#+.!~-]/g, "\\$&");
    const tag = node.tagName.toLowerCase();
    if (tag === "br") return "\\\n";
    if (tag === "strong") return `**${inline(node)}**`;
    if (tag === "em") return `*${inline(node)}*`;
    if (tag === "a") return `[${inline(node)}](<${(node.getAttribute("href") ?? "").replaceAll("&", "\\&")}>)`;
    if (tag === "ul" || tag === "ol")
      return `${Array.from(node.children, (child, index) => item(child, tag === "ul" ? "-" : `${index + 1}.`)).join("\n")}\n\n`;
    return tag === "p" ? `${inline(node).trim()}\n\n` : inline(node);
  };
  return inline(new DOMParser().parseFromString(html, "text/html").body).trim();
}
