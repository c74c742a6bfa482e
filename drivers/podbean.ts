import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { defineDriver, readJson, z, type Copy, type DriverContext, type Episode } from "../src/driver/index.ts";

/**
 * Podbean. Built from public descriptions, rehearse before use: the API is documented, the pages' labels and addresses are not.
 *
 * An account with an `apiToken` (OAuth2, with the scopes podcast_read, episode_read and episode_publish) is posted to by the API
 * and opens no page; any other one signs in with its password, and a code by app or e-mail where it is asked for one.
 */
export default defineDriver({
  site: "podbean",
  hosts: ["www.podbean.com", "podbean.com"],
  account: z
    .object({ email: z.email().optional(), password: z.string().optional(), twofa: z.string().optional(), apiToken: z.string().optional() })
    .refine(({ apiToken, email, password }) => apiToken || (email && password), {
      path: ["apiToken"],
      error: "it needs an apiToken, or email and password",
    }),
  tier: "drafts",
  limits: { title: { maxCharacters: 200 }, cover: { minPixels: 1400, maxPixels: 3000, maxBytes: 500 * 1024 } },
  refusals: {
    "account.refused": /invalid_token|(incorrect|invalid|wrong) e-?mail or password/i,
    "account.locked": /too many (failed )?(attempts|tries)/i,
    "totp.refused": /code is (incorrect|invalid|wrong)/i,
    "content.refused": { text: /\S/, within: '.editor [role=alert], [data-status="400"]:has-text("input_params_invalid")' },
  },
  /** Both ways say the state that the episode shall have. */
  publishRequest: { method: "POST", url: /\/episodes\/[^/]+$/, body: /"status":"publish"|(^|&)status=publish(&|$)/ },

  async isSignedIn(site) {
    if (!site.account.apiToken) return (await home(site)).isVisible();
    const answer = await site.request.get(api(site, "podcast"), { params: token(site) });
    if ([400, 401].includes(answer.status())) return false;
    await readJson(site, answer, z.unknown());
    return true;
  },
  async signIn(site) {
    const { page, account, totp, mailedCode, writeText } = site;
    if (account.apiToken) {
      await readJson(site, await site.request.get(api(site, "podcast"), { params: token(site) }), z.unknown());
      return;
    }
    await page.goto("/login");
    await writeText(page.getByLabel("Email"), account.email ?? "");
    await writeText(page.getByLabel("Password"), account.password ?? "");
    await page.getByRole("button", { name: "Log in" }).click();
    const code = page.getByLabel(/code/i);
    const inside = page.getByRole("link", { name: "New Episode" });
    await code.or(inside).first().waitFor();
    if (await inside.isVisible()) return;
    const byMail = await page.getByText(/sent .* e-?mail/i).isVisible();
    await writeText(code, byMail || !account.twofa ? await mailedCode({ from: "@podbean.com" }) : await totp(account.twofa));
    await page.getByRole("button", { name: "Verify" }).click();
    await inside.waitFor();
  },
  async find(site, episode) {
    if (!site.account.apiToken) return inFeed(site, episode);
    const rows = await episodes(site);
    return rows.filter((row) => row.status !== "draft" && carries(row, episode)).map(copyOf);
  },
  async draft(site, episode, draftId) {
    if (!site.account.apiToken) return draftOnPage(site, episode, draftId);
    const all = await episodes(site);
    const row = all.find(({ id }) => id === draftId) ?? all.find((one) => one.status === "draft" && carries(one, episode));
    if (row && row.status !== "draft") return row.id;
    site.step("upload");
    // A draft's recording may have been mended since.
    const isHeard = row?.media_url?.includes(basename(episode.audioPath)) ?? false;
    const files = {
      ...(!isHeard && { media_key: await upload(site, episode.audioPath, "audio/mpeg") }),
      ...(episode.coverPath && { logo_key: await upload(site, episode.coverPath, "image/jpeg") }),
    };
    if (row) return (await save(site, row.id, { ...texts(episode), ...files, status: "draft" })).id;
    const made = await site.request.post(api(site, "episodes"), {
      form: { ...token(site), ...texts(episode), ...files, status: "draft" },
    });
    const draft = (await readJson(site, made, oneEpisode)).episode;
    if (!carries(draft, episode)) throw new Error("Podbean did not keep the audio file's name: nothing tells the episode apart");
    return draft.id;
  },
  async publish(site, episode, draftId) {
    if (site.account.apiToken) return copyOf(await save(site, draftId ?? "", { ...texts(episode), status: "publish" }));
    const { page } = site;
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    const link = await page.getByRole("link", { name: "View episode" }).getAttribute("href");
    return { link: link ?? "", id: draftId ?? "" };
  },
  async discard(site, episode, draftId) {
    if (!site.account.apiToken) return discardOnPage(site, episode, draftId);
    const row = (await episodes(site)).find(({ id }) => id === draftId);
    if (row?.status !== "draft") return;
    const gone = await site.request.post(api(site, `episodes/${draftId}/delete`), { form: { ...token(site), delete_media_file: "yes" } });
    await readJson(site, gone, z.unknown());
  },
  async feed(site) {
    if (!site.account.apiToken) return feedOnPage(site);
    const about = await readJson(site, await site.request.get(api(site, "podcast"), { params: token(site) }), onePodcast);
    // The API does not name the feed; the podcast's own page does, as pages do for every reader.
    const html = await (await site.request.get(about.podcast.website)).text();
    const link = /<link[^>]+application\/rss\+xml[^>]*>/i.exec(html)?.[0] ?? "";
    return /href="([^"]+)"/.exec(link)?.[1] ?? "";
  },
});

type Site = DriverContext<{
  email?: string | undefined;
  password?: string | undefined;
  twofa?: string | undefined;
  apiToken?: string | undefined;
}>;
const PAGE_SIZE = 100;
const episodeRow = z.object({
  id: z.string(),
  title: z.string(),
  media_url: z.string().nullish(),
  permalink_url: z.string().nullish(),
  status: z.string(),
});
type EpisodeRow = z.output<typeof episodeRow>;
const oneEpisode = z.object({ episode: episodeRow });
const onePodcast = z.object({ podcast: z.object({ website: z.url() }) });

/** The API has a host of its own; the twin has one for all. */
function api({ origin }: Site, path: string): string {
  return `${origin.replace(/\/\/(www\.)?podbean\.com/, "//api.podbean.com")}/v1/${path}`;
}

/** As the documentation says: a parameter, not a header. */
function token({ account }: Site): { access_token: string } {
  return { access_token: account.apiToken ?? "" };
}

function texts({ title, aboutHtml }: Episode): { title: string; content: string; type: string } {
  return { title, content: aboutHtml, type: "public" };
}

async function save(site: Site, id: string, fields: Record<string, string>): Promise<EpisodeRow> {
  const answer = await site.request.post(api(site, `episodes/${id}`), { form: { ...token(site), ...fields } });
  const { episode } = await readJson(site, answer, oneEpisode);
  if (episode.status !== fields["status"]) throw new Error(`Podbean says that the episode is "${episode.status}"`);
  return episode;
}

/** All of them, drafts too. */
async function episodes(site: Site): Promise<EpisodeRow[]> {
  const rows: EpisodeRow[] = [];
  for (let more = true; more;) {
    const answer = await site.request.get(api(site, "episodes"), { params: { ...token(site), offset: rows.length, limit: PAGE_SIZE } });
    const page = await readJson(site, answer, z.object({ episodes: z.array(episodeRow), has_more: z.boolean() }));
    rows.push(...page.episodes);
    more = page.has_more && page.episodes.length > 0;
  }
  return rows;
}

/** The file goes to an address that the API names; it knows it afterwards by a key. */
async function upload(site: Site, path: string, content_type: string): Promise<string> {
  const { size } = await stat(path);
  const asked = await site.request.get(api(site, "files/uploadAuthorize"), {
    params: { ...token(site), filename: basename(path), filesize: size, content_type },
  });
  const { presigned_url, file_key } = await readJson(site, asked, z.object({ presigned_url: z.url(), file_key: z.string() }));
  // A large file takes longer than a step; the deadline of the whole verb holds.
  const taken = await site.request.put(presigned_url, {
    data: await readFile(path),
    headers: { "content-type": content_type },
    timeout: 0,
  });
  if (!taken.ok()) throw new Error(`the upload was answered with ${taken.status()}`);
  return file_key;
}

/** The audio's address ends in our file's name. */
function carries({ media_url }: EpisodeRow, { marker }: Episode): boolean {
  return (media_url ?? "").includes(marker);
}

function copyOf({ id, permalink_url }: EpisodeRow): Copy {
  return { id, link: permalink_url ?? "" };
}

// From here on: the pages, for accounts without a token.

/** Members are led from the sign-in page to their dashboard, wherever that is. */
async function home({ page }: Site): Promise<ReturnType<Site["page"]["getByRole"]>> {
  const link = page.getByRole("link", { name: "New Episode" });
  if (!(await link.isVisible())) await page.goto("/login");
  return link;
}

/** What is out, as the feed says: the list of episodes does not say which file is whose. */
async function inFeed(site: Site, { marker }: Episode): Promise<Copy[]> {
  const answer = await site.request.get(await feedOnPage(site));
  if (!answer.ok()) throw new Error(`the feed was answered with ${answer.status()}`);
  const xml = await answer.text();
  if (!/<rss[\s>]/.test(xml)) throw new Error("what stands at the feed's address is no feed");
  const items = xml.split("<item>").slice(1);
  const ours = items.filter((item) => /<enclosure[^>]+url="([^"]+)"/.exec(item)?.[1]?.includes(marker));
  return ours.map((item) => ({ link: /<link>([^<]+)<\/link>/.exec(item)?.[1]?.replaceAll("&amp;", "&") ?? "" }));
}

async function draftOnPage(site: Site, episode: Episode, draftId: string | null): Promise<string> {
  const { page, writeText, writeHtml, step } = site;
  const known = draftId?.startsWith("http") ? draftId : await leftOver(site, episode);
  if (known) await page.goto(known);
  else await (await home(site)).click();
  await writeText(page.getByLabel("Title"), episode.title);
  await writeHtml(page.getByRole("textbox", { name: "Description" }), episode.aboutHtml);
  // Also into a draft: its recording may have been mended since.
  step("upload");
  await page.getByLabel("Audio file").setInputFiles(episode.audioPath);
  await page.getByText("Audio uploaded").waitFor();
  if (episode.coverPath) await page.getByLabel("Episode image").setInputFiles(episode.coverPath);
  if (episode.coverPath) await page.getByText("Image uploaded").waitFor();
  await page.getByRole("button", { name: "Save as draft" }).click();
  await page.getByText("Draft saved").waitFor();
  // Its address is all that is known to tell a draft apart.
  return page.url();
}

/** The draft with our title whose audio is our file. */
async function leftOver(site: Site, { title, marker }: Episode): Promise<string | null> {
  const { page } = site;
  await home(site);
  await page.getByRole("link", { name: "Drafts" }).click();
  await page.getByRole("heading", { name: "Drafts" }).waitFor();
  for (const link of await page.getByRole("link", { name: title, exact: true }).all()) {
    const address = new URL((await link.getAttribute("href")) ?? "", page.url()).href;
    if ((await (await site.request.get(address)).text()).includes(marker)) return address;
  }
  return null;
}

async function discardOnPage(site: Site, { title }: Episode, draftId: string): Promise<void> {
  const { page } = site;
  await home(site);
  await page.getByRole("link", { name: "Drafts" }).click();
  await page.getByRole("heading", { name: "Drafts" }).waitFor();
  const links = await page.getByRole("link", { name: title, exact: true }).all();
  const addresses = await Promise.all(links.map(async (link) => new URL((await link.getAttribute("href")) ?? "", page.url()).href));
  if (!addresses.includes(draftId)) return;
  await page.goto(draftId);
  await page.getByRole("button", { name: "Delete draft" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "Drafts" }).waitFor();
}

/** Settings > Feed. */
async function feedOnPage(site: Site): Promise<string> {
  const { page } = site;
  await home(site);
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("link", { name: "Feed" }).click();
  return page.getByLabel("RSS feed").inputValue();
}
