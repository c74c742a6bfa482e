import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { defineDriver, z, type DriverContext, type Episode } from "../src/driver/index.ts";

/**
 * MediaWiki 1.39 and newer, with OATHAuth where the account has a second factor: an episode is a page that plays an uploaded
 * mp3. All pages are asked for in English, whatever the wiki's own language is.
 */
export default defineDriver({
  site: "mediawiki",
  // Everybody has their own: SITES names it, e.g. SITES=wiki.example.org=mediawiki
  hosts: [],
  account: z.object({ username: z.string(), password: z.string(), twofa: z.string().optional() }),
  login: "username",
  tier: "list",
  settleMs: 15_000,
  limits: {
    title: { maxCharacters: 200 },
    about: { tags: ["p", "br", "strong", "em", "ul", "ol", "li", "a"], maxCharacters: 20_000 },
    audio: { formats: ["mp3"], maxBytes: 100 * 1024 * 1024 },
  },
  refusals: {
    "account.refused": /incorrect username or password|there is no user by the name/i,
    "account.locked": /too many (recent login|verification) attempts/i,
    "account.challenged": { text: /protect the wiki against automated|incorrect or missing captcha/i, within: "#userloginForm, #editform" },
    "totp.refused": /verification failed|failed to validate two-factor credentials/i,
    "content.refused": { text: /\S/, within: ".permissions-errors, #mw-content-text .error, #mw-content-text .mw-message-box-error" },
  },
  signInPage: /Special(:|%3A)UserLogin/i,
  publishRequest: { method: "POST", url: /[?&]action=submit\b/, body: /name="wpSave"/ },

  async isSignedIn(site) {
    return (await whoAmI(site)).id !== 0;
  },
  async signIn(site) {
    const { page, account, totp, writeText } = site;
    await open(site, { title: "Special:UserLogin" });
    // A captcha is for a person; it is waited for until it is told as a refusal.
    await page.locator("#userloginForm [name^=wpCaptcha]").waitFor({ state: "detached" });
    await writeText(page.getByLabel("Username"), account.username);
    await writeText(page.getByLabel("Password"), account.password);
    const remember = page.getByLabel("Keep me logged in");
    if (await remember.isVisible()) await remember.check();
    await page.getByRole("button", { name: "Log in" }).click();
    const code = page.locator("[name=OATHToken]");
    await code.or(page.locator("#pt-logout")).first().waitFor({ state: "attached" });
    if (!(await code.isVisible())) return;
    await writeText(code, await totp(account.twofa ?? ""));
    await page.getByRole("button", { name: /log in|continue/i }).click();
    await page.locator("#pt-logout").waitFor({ state: "attached" });
  },
  async find(site, { marker }) {
    const { pages = [] } = await query(site, {
      generator: "imageusage",
      giutitle: fileOf(marker),
      giunamespace: "0",
      gilimit: "max",
      ...asText,
    });
    return pages.filter((page) => isOf(page, marker)).map(copyOf);
  },
  async draft(site, episode) {
    const { page, step, writeText } = site;
    const { marker, aboutHtml } = episode;
    const [there] = (await query(site, { titles: fileOf(marker), prop: "imageinfo", iiprop: "sha1" })).pages ?? [];
    // One that is there with another content belongs to what the episode was before it was mended.
    if (there?.imageinfo?.[0]?.sha1 !== (await sha1Of(episode.audioPath))) {
      await open(site, { title: "Special:Upload", wpDestFile: `${marker}.mp3` });
      step("upload");
      await page.getByLabel("Source filename").setInputFiles(episode.audioPath);
      // One sound may be two episodes.
      await page.getByLabel("Ignore any warnings").check();
      await page.getByRole("button", { name: "Upload file" }).click();
      await page.locator("body.ns-6.action-view").waitFor();
    }
    const { title } = await pageFor(site, episode);
    await open(site, { title, action: "edit" });
    const text = await page.evaluate(toWikitext, aboutHtml);
    await writeText(page.locator("#wpTextbox1"), `[[${fileOf(marker)}]]\n<div id="${marker}">\n${text}\n</div>\n`);
    await writeText(page.getByRole("textbox", { name: /summary/i }), "A podcast episode");
  },
  async publish(site, episode) {
    const { page } = site;
    await page.getByRole("button", { name: /^(save|publish) (page|changes)/i }).click();
    await page.locator(`body.action-view #${episode.marker}`).waitFor();
    return copyOf(await pageFor(site, episode));
  },
  async feed(site) {
    const { name } = await whoAmI(site);
    return address(site, "api.php", { action: "feedcontributions", user: name, namespace: "0", newonly: "1", feedformat: "rss" });
  },
});

const quick = { waitUntil: "domcontentloaded" } as const;
const asText = { prop: "info|revisions", inprop: "url", rvprop: "content", rvslots: "main" } as const;

const wikiPage = z.object({
  ns: z.number().optional(),
  title: z.string(),
  pageid: z.number().optional(),
  missing: z.boolean().optional(),
  invalid: z.boolean().optional(),
  fullurl: z.string().optional(),
  imageinfo: z.array(z.object({ sha1: z.string() })).optional(),
  revisions: z.array(z.object({ slots: z.object({ main: z.object({ content: z.string().optional() }) }) })).optional(),
});
type WikiPage = z.infer<typeof wikiPage>;
/** All of it, and no error, which comes with status 200: "nothing there" has to be the wiki's word. */
const answered = z.object({
  error: z.undefined().optional(),
  batchcomplete: z.literal(true),
  query: z.object({ pages: z.array(wikiPage).optional(), userinfo: z.object({ id: z.number(), name: z.string() }).optional() }).default({}),
});

/** An address within the wiki, wherever on its host that lies. */
async function address({ page, request, origin }: DriverContext, script: string, parameters: Record<string, string>): Promise<string> {
  const known = /^https?:.*\/(?=(index|api)\.php)/.exec(page.url())?.[0];
  const start = known ?? /rel="EditURI"[^>]*href="([^"]*)api\.php/.exec(await (await request.get(origin)).text())?.[1];
  if (!start) throw new Error(`${origin} does not lead to a MediaWiki`);
  return `${new URL(script, new URL(start, origin)).href}?${new URLSearchParams(parameters).toString()}`;
}

async function open(site: DriverContext, parameters: Record<string, string>): Promise<void> {
  await site.page.goto(await address(site, "index.php", { ...parameters, uselang: "en" }), quick);
}

/** Asks the wiki's API, within our session. */
async function query(site: DriverContext, parameters: Record<string, string>): Promise<z.infer<typeof answered>["query"]> {
  const answer = await site.request.get(
    await address(site, "api.php", { action: "query", format: "json", formatversion: "2", ...parameters }),
  );
  if (!answer.ok()) throw new Error(`the wiki's API answered with ${answer.status()}`);
  return answered.parse(await answer.json()).query;
}

async function whoAmI(site: DriverContext): Promise<{ id: number; name: string }> {
  const { userinfo } = await query(site, { meta: "userinfo" });
  if (!userinfo) throw new Error("the wiki does not say who is signed in");
  return userinfo;
}

/** As the wiki tells files apart. */
async function sha1Of(path: string): Promise<string> {
  const hash = createHash("sha1");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Names of files begin with a capital on most wikis, and both spellings lead there. */
function fileOf(marker: string): string {
  return `File:${marker}.mp3`;
}

/** A page that only mentions the file, such as a list of episodes, is no copy. */
function isOf({ revisions }: WikiPage, marker: string): boolean {
  return revisions?.[0]?.slots.main.content?.includes(`id="${marker}"`) ?? true;
}

function copyOf({ pageid, fullurl = "" }: WikiPage): { id: string; link: string } {
  return { id: String(pageid ?? ""), link: fullurl };
}

/**
 * The page for an episode: named by its title where nobody else has that name. What is ours already is taken again, so that
 * saving twice would still make one page.
 */
async function pageFor(site: DriverContext, { title, marker }: Episode): Promise<WikiPage> {
  const name = pageName(title);
  for (const titles of [name, `${name.replaceAll(":", "：")} (${marker})`]) {
    const [page] = (await query(site, { titles, ...asText })).pages ?? [];
    if (page?.ns === 0 && !page.invalid && (page.missing || (page.revisions && isOf(page, marker)))) return page;
  }
  throw new Error(`the wiki takes no page named "${name}"`);
}

/** What a page's name can't hold becomes its full-width form; a name has at most 255 bytes. */
function pageName(title: string): string {
  const name = title.replace(/[#<>[\]{}|]|%(?=[\da-f]{2})|&(?=#?\w+;)|^:|~(?=~~)/gi, (sign) =>
    String.fromCodePoint((sign.codePointAt(0) ?? 0) + 0xfee0),
  );
  const letters = [...name.replaceAll("_", " ").trim()];
  while (Buffer.byteLength(letters.join("")) > 220) letters.pop();
  return letters.join("").trim();
}

/** Runs in the page, for its parser. Every sign that a wiki reads as markup is written as an entity. */
function toWikitext(html: string): string {
  const entity = (sign: string): string => `&#${sign.codePointAt(0)};`;
  const plain = (text: string): string => text.replace(/\s+/g, " ").replace(/[&<>[\]{}|~_'"=*#;!]|:(?=\S)/g, entity);
  // Two quote signs of neighbours would be read as one longer sign.
  const join = (one: string, other: string): string =>
    one.endsWith("'") && other.startsWith("'") ? `${one}<nowiki/>${other}` : one + other;
  const quoted = (quotes: string, text: string): string => (text.trim() ? join(join(quotes, text), quotes) : text);

  const inline = (node: Node, prefix: string): string => {
    if (node instanceof Text) return plain(node.data);
    if (!(node instanceof Element)) return "";
    const inner = children(node, prefix);
    const href = node.getAttribute("href") ?? "";
    if (node.matches("a") && /^https?:/i.test(href))
      return `[${new URL(href).href.replace(/[[\]{}|'"<>\s]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)} ${inner}]`;
    if (node.matches("strong, b")) return quoted("'''", inner);
    if (node.matches("em, i")) return quoted("''", inner);
    if (node.matches("br")) return "<br />";
    if (node.matches("ul, ol")) return `\n${items(node, prefix)}`;
    return inner;
  };
  const children = (node: Node, prefix: string): string => [...node.childNodes].map((child) => inline(child, prefix)).reduce(join, "");
  const items = (list: Element, prefix: string): string => {
    const sign = prefix + (list.matches("ol") ? "#" : "*");
    return [...list.children].map((item) => `${sign} ${children(item, sign).trim()}`).join("\n");
  };

  const blocks: string[] = [];
  let line = "";
  const endLine = (): void => {
    // A line that begins with one of these is a list, an indent or a rule.
    if (line.trim()) blocks.push(line.trim().replace(/^[-:]/, entity));
    line = "";
  };
  for (const node of new DOMParser().parseFromString(html, "text/html").body.childNodes) {
    const isBlock = node instanceof Element && node.matches("p, ul, ol, div, blockquote, h1, h2, h3, h4, h5, h6");
    if (isBlock) endLine();
    const isList = isBlock && node.matches("ul, ol");
    if (isList) blocks.push(items(node, ""));
    else line = join(line, inline(node, ""));
    if (isBlock) endLine();
  }
  endLine();
  return blocks.join("\n\n");
}
