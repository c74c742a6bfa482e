import studio from "../../../drivers/podcrew-studio.ts";
import { z, type DriverContext, type Entry } from "../../../src/driver/index.ts";

/** What the drivers below have in common with the studio's own: all but drafts. */
const { find: _find, discard: _discard, ...common } = studio;

type Site = DriverContext<z.output<typeof studio.account>>;

export const base = {
  ...common,
  settleMs: 2000,
  publishRequest: { method: "POST", url: /\/shows\/[^/]+\/episodes$/ },

  /** The form, filled in; there is no draft to come back to. */
  async draft(site: Site, episode: Parameters<typeof studio.draft>[1]): Promise<void> {
    const { page, step, writeText, writeHtml } = site;
    await page.goto(`${await show(site)}/episodes/new`, quick);
    await writeText(page.getByLabel("Title"), episode.title);
    await writeHtml(page.getByLabel("Description"), episode.aboutHtml);
    step("upload");
    if (episode.coverPath) await page.getByLabel("Cover").setInputFiles(episode.coverPath);
    await page.getByLabel("Audio").setInputFiles(episode.audioPath);
    if (episode.coverPath) await page.getByText("Cover ready").waitFor();
    await page.getByText("Audio ready").waitFor();
    await page.getByLabel("The voice is made by a machine").setChecked(episode.narrated);
  },
  async publish({ page }: Site) {
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page.getByRole("button", { name: "Publish now" }).click();
    const link = (await page.getByRole("link", { name: "Public page" }).getAttribute("href")) ?? "";
    return { link, id: link.slice(-GUID_CHARACTERS) };
  },
} as const;

const GUID_CHARACTERS = 12;
const quick = { waitUntil: "domcontentloaded" } as const;
const listing = z.object({
  pages: z.number(),
  episodes: z.array(z.object({ guid: z.string(), title: z.string(), status: z.string(), file: z.string(), link: z.string() })),
});

/** The address of the account's first show. */
async function show({ page }: Site): Promise<string> {
  const known = /\/shows\/[^/?]+/.exec(page.url())?.[0];
  if (known) return known;
  if (!page.url().endsWith("/dashboard")) await page.goto("/dashboard", quick);
  return (await page.locator('a[href^="/shows/"]').first().getAttribute("href")) ?? "";
}

/** What is out, page by page; the browser's page shows the first, so that a picture of it says what was seen. */
export async function listed(site: Site, search: string): Promise<(Entry & { file: string })[]> {
  const address = `${await show(site)}/episodes?search=${search}`;
  await site.page.goto(address, quick);
  await site.page.getByRole("heading", { name: "Episodes", level: 1 }).waitFor();
  const rows: (Entry & { file: string })[] = [];
  for (let [page, pages] = [1, 1]; page <= pages; page += 1) {
    const answer = await site.request.get(`${address}&page=${page}`, { headers: { accept: "application/json" }, maxRedirects: 0 });
    if (!answer.ok()) throw new Error(`the list of episodes was answered with ${answer.status()}`);
    const said = listing.parse(await answer.json());
    pages = said.pages;
    for (const { guid, status, ...row } of said.episodes) if (["published", "scheduled"].includes(status)) rows.push({ id: guid, ...row });
  }
  return rows;
}
