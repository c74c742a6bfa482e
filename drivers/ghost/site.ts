import { createReadStream } from "node:fs";
import { basename, parse } from "node:path";
import { z, type Copy, type DriverContext, type DriverDeclaration, type Episode } from "../../src/driver/index.ts";

/**
 * What both ways to post to a Ghost have in common: signing in, with the code that it mails to a browser it has not seen; drafts,
 * made through the signed-in session as its own pages do; finding again by the end of the slug; the feed, which names no enclosure.
 */

export const quick = { waitUntil: "domcontentloaded" } as const;
export const api = "/ghost/api/admin/";

export const account = z.object({ email: z.email(), password: z.string() });
type Site = DriverContext<z.output<typeof account>>;

export const declared = {
  // Everybody has one of their own: SITES says where.
  hosts: [],
  account,
  tier: "drafts",
  settleMs: 5000,
  limits: {
    title: { maxCharacters: 255 },
    about: { tags: ["p", "br", "strong", "em", "ul", "ol", "li", "a", "h2", "h3", "blockquote"], maxCharacters: 20_000 },
    audio: { formats: ["mp3", "m4a", "wav"], maxBytes: 200 * 1024 * 1024 },
  },
  refusals: {
    "account.refused": /your password is incorrect|there is no user with that email/i,
    "account.locked": /too many (login |sign-?in )?attempts/i,
    "totp.refused": /verification code is incorrect/i,
  },
  signInPage: /\/ghost\/#\/signin/,
  // Drafts are saved at this very address: only the status makes it public.
  publishRequest: { method: "PUT", url: /\/ghost\/api\/admin\/posts\/[0-9a-f]{24}\//, body: /"status":"published"/ },
} as const satisfies Partial<DriverDeclaration<typeof account>>;

export async function isSignedIn({ request }: Site): Promise<boolean> {
  return (await request.get(`${api}users/me/`)).ok();
}

export async function signIn({ page, account, origin, mailedCode, writeText }: Site): Promise<void> {
  await page.goto("/ghost/#/signin", quick);
  await writeText(page.getByLabel("Email address"), account.email);
  await writeText(page.getByLabel("Password"), account.password);
  await page.getByRole("button", { name: /^sign in/i }).click();
  const code = page.getByLabel("Verification code");
  const inside = page.getByRole("link", { name: "Posts", exact: true });
  await code.or(inside).first().waitFor();
  if (!(await code.isVisible())) return;
  // By default Ghost mails from the site's own host; many let the domain above it do so.
  const host = new URL(origin).hostname.replace(/^www\./, "");
  const resend = async (): Promise<void> => page.getByRole("button", { name: /resend/i }).click();
  await writeText(code, await mailedCode({ from: [`@${host}`, `@${host.replace(/^[^.]+\.(?=.+\.)/, "")}`], resend }));
  await page.getByRole("button", { name: /^verify/i }).click();
  await inside.first().waitFor();
}

export async function find(site: Site, episode: Episode): Promise<Copy[]> {
  return (await posts(site, episode, "published,scheduled,sent")).map(({ id, url }) => ({ id, link: url }));
}

export async function draft(site: Site, episode: Episode, draftId: string | null): Promise<string> {
  const left = draftId ?? (await posts(site, episode, "draft"))[0]?.id;
  const kept = left ? await post(site, left) : null;
  // Public by now, whoever did it: nothing is written to it any more.
  if (kept && kept.status !== "draft") return kept.id;
  site.step("upload");
  // What was saved with these very files needs no second upload; Ghost adds a number to a name that is taken.
  const nameOf = (path: string): string => parse(basename(path)).name;
  const audio =
    new RegExp(`src="([^"]*/${nameOf(episode.audioPath)}[^"/]*)"`).exec(kept?.html ?? "")?.[1] ??
    (await upload(site, "media", episode.audioPath));
  const isSeen = episode.coverPath !== null && kept?.feature_image?.includes(nameOf(episode.coverPath));
  const cover = isSeen ? kept?.feature_image : episode.coverPath && (await upload(site, "images", episode.coverPath));
  const content = {
    title: episode.title,
    slug: `${slugOf(episode.title)}-${episode.marker}`,
    html: `${player(audio)}${episode.aboutHtml}`,
    feature_image: cover,
    status: "draft",
    ...(kept && { updated_at: kept.updated_at }),
  };
  const options = { data: { posts: [content] }, headers: { origin: site.origin } };
  const path = `${api}posts/${kept ? `${kept.id}/` : ""}?source=html`;
  return only(await read(site, await (kept ? site.request.put(path, options) : site.request.post(path, options)), postList)).id;
}

export async function discard(site: Site, episode: Episode, draftId: string): Promise<void> {
  if (!(await posts(site, episode, "draft")).some(({ id }) => id === draftId)) return;
  await site.request.delete(`${api}posts/${draftId}/`, { headers: { origin: site.origin } });
}

export async function feed(site: Site): Promise<string> {
  const { site: about } = await read(site, await site.request.get(`${api}site/`), siteInfo);
  return new URL("rss/", about.url).href;
}

const postSchema = z.object({
  id: z.string(),
  url: z.string(),
  status: z.string(),
  updated_at: z.string(),
  html: z.string().nullish(),
  feature_image: z.string().nullish(),
});
export type Post = z.infer<typeof postSchema>;
export const postList = z.object({ posts: z.array(postSchema) });
const siteInfo = z.object({ site: z.object({ url: z.string() }) });
const file = z.array(z.object({ url: z.string() }));
const uploaded = z.union([z.object({ media: file }), z.object({ images: file })]);
type Answer = Awaited<ReturnType<Site["request"]["get"]>>;

/** What the API answered. A session that has ended shows by the sign-in page. */
export async function read<T>({ page }: Site, answer: Answer, schema: z.ZodType<T>): Promise<T> {
  if (answer.ok()) return schema.parse(await answer.json());
  if (answer.status() === 401 || answer.status() === 403) {
    await page.goto("/ghost/", quick);
    await page.getByLabel("Email address").waitFor();
  }
  throw new Error(`Ghost answered ${answer.status()}: ${(await answer.text()).slice(0, 300)}`);
}

export async function post(site: Site, id: string): Promise<Post> {
  return only(await read(site, await site.request.get(`${api}posts/${id}/?formats=html`), postList));
}

export function only({ posts: [found] }: z.infer<typeof postList>): Post {
  if (!found) throw new Error("Ghost answered without a post");
  return found;
}

/** Our posts in these states: the end of their slug is the episode's marker. */
async function posts(site: Site, { marker }: Episode, states: string): Promise<Post[]> {
  const query = new URLSearchParams({ filter: `slug:~'${marker}'+status:[${states}]`, limit: "100" });
  return (await read(site, await site.request.get(`${api}posts/?${query.toString()}`), postList)).posts;
}

/** @returns the file's address */
async function upload(site: Site, kind: "media" | "images", path: string): Promise<string> {
  const multipart = { file: createReadStream(path) };
  const answer = await site.request.post(`${api}${kind}/upload/`, { multipart, headers: { origin: site.origin } });
  const files = await read(site, answer, uploaded);
  return ("media" in files ? files.media : files.images)[0]?.url ?? "";
}

/** An HTML card: a player that each theme and each feed reader shows. */
function player(src: string): string {
  return `<!--kg-card-begin: html--><audio controls preload="metadata" src="${src}"></audio><!--kg-card-end: html-->`;
}

/** In plain ASCII: what is not, Ghost would write in a way of its own. */
function slugOf(title: string): string {
  const plain = title.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase();
  return (
    plain
      .replace(/[^a-z0-9]+/g, "-")
      .slice(0, 80)
      .replace(/^-|-$/g, "") || "episode"
  );
}
