import { basename, parse } from "node:path";
import { z, type Copy, type DriverContext, type DriverDeclaration, type Episode } from "../../src/driver/index.ts";
import { ask, change, nonceOf } from "./rest.ts";

/** What both ways to post to a WordPress have in common: signing in, finding again by the slug, the feed. */

/** WordPress tells by its own clockwork, which visitors drive, how long an audio file is; some hosts let it run every few minutes only. */
const ENCLOSED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 500;

export const quick = { waitUntil: "domcontentloaded" } as const;

export const account = z
  .object({ username: z.string().optional(), email: z.string().optional(), password: z.string() })
  .refine(({ username, email }) => username ?? email, { path: ["username"], error: "or an e-mail address is missing" });
type Site = DriverContext<z.output<typeof account>>;

export const declared = {
  // Everybody has one of their own: SITES says where.
  hosts: [],
  account,
  login: "username",
  tier: "drafts",
  settleMs: 10_000,
  concurrency: 4,
  limits: {
    title: { maxCharacters: 200 },
    about: { tags: ["p", "br", "strong", "em", "ul", "ol", "li", "a", "h2", "h3"], maxCharacters: 20_000 },
    audio: { formats: ["mp3", "m4a", "wav"], maxBytes: 100 * 1024 * 1024 },
  },
  refusals: {
    "account.locked": { text: /too many (failed )?(login|sign.?in) attempts|locked out/i, within: "#login_error" },
    "account.challenged": { text: /captcha|verify (that )?you are human/i, within: "#login_error" },
    "account.refused": {
      text: /is incorrect|is not registered|unknown (username|email)|invalid (username|email)/i,
      within: "#login_error",
    },
  },
  signInPage: /\/wp-login\.php/,
  // Both the editor and we save drafts to this very address: only the status makes it public.
  publishRequest: { method: "POST", url: /\/wp-json\/wp\/v2\/posts\/\d+(\?|$)/, body: /"status":"publish"/ },
} as const satisfies Partial<DriverDeclaration<typeof account>>;

export async function isSignedIn(site: Site): Promise<boolean> {
  return (await nonceOf(site)) !== "";
}

export async function signIn({ page, writeText, account: { username, email, password } }: Site): Promise<void> {
  await page.goto("/wp-login.php", quick);
  await writeText(page.getByLabel("Username or Email Address"), username ?? email ?? "");
  await writeText(page.getByLabel("Password", { exact: true }), password);
  await page.getByLabel("Remember Me").check();
  await page.getByRole("button", { name: "Log In" }).click();
  await page.waitForURL(/\/wp-admin\//, quick);
}

const post = z.object({ id: z.number(), link: z.string() });
const copyOf = ({ id, link }: z.output<typeof post>): Copy => ({ id: String(id), link });

/** As anybody sees them: by the slug, and by the audio file's name in the text, should somebody have changed the slug. */
export async function find(site: DriverContext, { marker }: Episode): Promise<Copy[]> {
  // A second post of the same slug would be given a number by WordPress.
  const slugs = [marker, `${marker}-2`, `${marker}-3`].join(",");
  const found = await Promise.all(
    [`slug=${slugs}`, `search=${marker}`].map(async (query) => ask(site, `/wp-json/wp/v2/posts?${query}&_fields=id,link`, z.array(post))),
  );
  return [...new Map(found.flat().map((one) => [one.id, copyOf(one)])).values()];
}

/** Publishes by the id. What is public already stays as it is. */
export async function publishById(site: DriverContext, id: string | number): Promise<Copy> {
  return copyOf(post.parse(await change(site, "POST", `/wp-json/wp/v2/posts/${id}`, { status: "publish" })));
}

const draft = z.object({ id: z.number(), status: z.string(), slug: z.string(), featured_media: z.number() });

/** The post to go on with: by its id, whatever became of it but trash; else a draft by our slug. */
export async function draftOf(site: DriverContext, { marker }: Episode, draftId: string | null): Promise<z.output<typeof draft> | null> {
  const fields = "context=edit&_fields=id,status,slug,featured_media";
  const known = draftId && (await ask(site, `/wp-json/wp/v2/posts/${draftId}?${fields}`, draft.or(z.null()), await nonceOf(site)));
  if (known && known.status !== "trash") return known;
  const found = await ask(site, `/wp-json/wp/v2/posts?slug=${marker}&status=draft,pending&${fields}`, z.array(draft), await nonceOf(site));
  return found[0] ?? null;
}

const medium = z.object({ id: z.number(), source_url: z.string(), mime_type: z.string() });
export type Medium = z.output<typeof medium>;

/** A file that is in the library already: an upload that was cut off later on is not repeated. Another content has another name. */
export async function mediumOf(site: DriverContext, file: string): Promise<Medium | null> {
  const { name, ext } = parse(basename(file));
  const kind = [".jpg", ".png"].includes(ext) ? "image" : "audio";
  const path = `/wp-json/wp/v2/media?search=${name}&media_type=${kind}&_fields=id,source_url,mime_type`;
  const found = await ask(site, path, z.array(medium), await nonceOf(site));
  // A name that is taken is given a number, a large picture a smaller copy.
  const ours = new RegExp(`/${name}(-\\d+|-scaled)*\\.\\w+$`);
  return found.find(({ source_url }) => ours.test(source_url)) ?? null;
}

const unseen: ReadonlySet<string> = new Set(["draft", "auto-draft", "pending"]);

/** Into the trash, where WordPress keeps it for thirty days. What is public by now, or will be, stays. */
export async function discard(site: DriverContext, episode: Episode, draftId: string): Promise<void> {
  const there = await draftOf(site, episode, draftId);
  if (there && String(there.id) === draftId && unseen.has(there.status)) await change(site, "DELETE", `/wp-json/wp/v2/posts/${draftId}`);
}

/** The feed is the same before and after; once the enclosures are in, players can have it. */
export async function feed({ request }: DriverContext): Promise<string> {
  await request.get("/wp-cron.php");
  const lacks = async (): Promise<boolean> =>
    (await (await request.get("/feed/")).text())
      .split("<item>")
      .some((item) => /<audio[^>]+\/ep-[a-z2-7]{16}/.test(item) && !item.includes("<enclosure"));
  const until = performance.now() + ENCLOSED_WITHIN_MS;
  while (performance.now() < until && (await lacks())) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  return "/feed/";
}
