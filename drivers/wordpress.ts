import { defineDriver, type DriverContext, type Episode } from "../src/driver/index.ts";
import { audioBlock, textBlocks } from "./wordpress/blocks.ts";
import { account, declared, discard, draftOf, feed, find, isSignedIn, mediumOf, publishById, quick, signIn } from "./wordpress/site.ts";

/** A podcast on a WordPress of one's own, posted through the block editor as a person would. */
export default defineDriver({
  site: "wordpress",
  ...declared,
  account,
  refusals: {
    ...declared.refusals,
    "content.refused": { text: /not allowed to upload|exceeds the maximum upload size|(publishing|updating) failed/i, within: ".is-error" },
  },
  // By class: it is looked for before each action.
  interruptions: [
    {
      shows: (page) => page.locator(".edit-post-welcome-guide"),
      dismiss: (page) => page.locator(".edit-post-welcome-guide").getByRole("button", { name: "Close dialog" }).click(),
    },
  ],
  isSignedIn,
  signIn,
  find,
  async draft(site, episode, draftId) {
    const { page, step, writeText } = site;
    const known = await draftOf(site, episode, draftId);
    // Public by now, whoever did it: nothing is written to it any more.
    if (known?.status === "publish") return String(known.id);
    const audio = await mediumOf(site, episode.audioPath);
    const cover = episode.coverPath && (await mediumOf(site, episode.coverPath));
    await page.goto(`/wp-admin/${known ? `post.php?post=${known.id}&action=edit` : "post-new.php"}`, quick);
    // What is written before the editor has the post is lost when it comes.
    await page.getByRole("textbox", { name: "Add title" }).waitFor();
    await page.waitForFunction(isReady);
    await writeText(page.getByRole("textbox", { name: "Add title" }), episode.title);
    await page.evaluate(edit, { slug: episode.marker, featured_media: cover ? cover.id : 0 });
    await saveDraft(page);
    await writeBlocks(site, textBlocks(episode.aboutHtml) + audioBlock(audio));
    step("upload");
    if (!audio) await uploadAudio(page, episode);
    if (episode.coverPath && !cover) await uploadCover(page, episode.coverPath);
    await saveDraft(page);
    const saved = await draftOf(site, episode, /\bpost=(\d+)/.exec(page.url())?.[1] ?? null);
    if (saved?.slug !== episode.marker) throw new Error(`the draft was saved as "${saved?.slug}", and not as "${episode.marker}"`);
    return String(saved.id);
  },
  async publish(site, episode, draftId) {
    const { page } = site;
    const known = await draftOf(site, episode, draftId);
    if (known?.status === "publish") return publishById(site, known.id);
    await topBar(page).getByRole("button", { name: "Publish", exact: true }).click();
    const panel = page.getByRole("region", { name: "Editor publish" });
    await panel.getByRole("button", { name: "Publish", exact: true }).click();
    return { link: (await panel.getByRole("link", { name: "View Post" }).getAttribute("href")) ?? "", id: draftId ?? "" };
  },
  discard,
  feed,
});

type Page = DriverContext["page"];

const topBar = (page: Page) => page.getByRole("region", { name: "Editor top bar" });
const settings = (page: Page) => page.getByRole("region", { name: "Editor settings" });

/** The editor remembers for each person what was open last. */
async function openSettings(page: Page): Promise<void> {
  const button = topBar(page).getByRole("button", { name: "Settings" });
  if ((await button.getAttribute("aria-expanded")) === "false") await button.click();
  await settings(page)
    .getByRole("button", { name: /^Post( \(selected\))?$/ })
    .click();
}

async function openPanel(page: Page, name: string): Promise<void> {
  const button = settings(page).getByRole("button", { name, exact: true });
  if ((await button.getAttribute("aria-expanded")) === "false") await button.click();
}

/** By the slug the post is found again. */
interface Edits {
  slug: string;
  /** 0: none. */
  featured_media: number;
}

/** The editor's own interface to scripts, for what its windows and keys only do sometimes on a slow machine. */
interface Editor {
  wp: {
    data: {
      select(store: "core/editor"): { __unstableIsEditorReady?(): boolean };
      dispatch(store: "core/editor"): { editPost(edits: Edits): void; savePost(): Promise<void> };
    };
  };
}

function isReady(): boolean {
  return (globalThis as unknown as Editor).wp.data.select("core/editor").__unstableIsEditorReady?.() ?? true;
}

function edit(edits: Edits): void {
  (globalThis as unknown as Editor).wp.data.dispatch("core/editor").editPost(edits);
}

async function saveDraft(page: Page): Promise<void> {
  await page.evaluate(async () => (globalThis as unknown as Editor).wp.data.dispatch("core/editor").savePost());
  await topBar(page).getByText("Saved", { exact: true }).waitFor();
}

/** As code: what stood there before is replaced, and each block comes as it is meant. */
async function writeBlocks({ page, writeText }: DriverContext, blocks: string): Promise<void> {
  await topBar(page).getByRole("button", { name: "Options" }).click();
  await page.getByRole("menuitemradio", { name: "Code editor" }).click();
  await writeText(page.getByLabel("Type text or HTML"), blocks);
  await page.getByRole("button", { name: "Exit code editor" }).click();
}

/** While it comes the block plays the file from this machine: only the site's own address means that it is there. */
async function uploadAudio(page: Page, { audioPath }: Episode): Promise<void> {
  const block = page.getByRole("document", { name: "Block: Audio" });
  await block.locator("input[type=file]").setInputFiles(audioPath);
  await block.locator("audio:not([src^=blob])").waitFor();
}

async function uploadCover(page: Page, coverPath: string): Promise<void> {
  await openSettings(page);
  await openPanel(page, "Featured image");
  await settings(page).getByRole("button", { name: "Set featured image" }).click();
  const dialog = page.getByRole("dialog", { name: "Featured image" });
  await dialog.locator("input[type=file]").setInputFiles(coverPath);
  await dialog.getByRole("button", { name: "Set featured image" }).click();
  await settings(page).getByRole("button", { name: "Replace Image" }).waitFor();
}
