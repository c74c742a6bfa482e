import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { defineDriver, z, type DriverContext } from "../src/driver/index.ts";
import { audioBlock, textBlocks } from "./wordpress/blocks.ts";
import { change } from "./wordpress/rest.ts";
import {
  account,
  declared,
  discard,
  draftOf,
  feed,
  find,
  isSignedIn,
  mediumOf,
  publishById,
  signIn,
  type Medium,
} from "./wordpress/site.ts";

/** The same WordPress, posted to by what its own editor speaks to: the page is only needed to sign in. */
export default defineDriver({
  site: "wordpress-request",
  ...declared,
  account,
  post: "request",
  isSignedIn,
  signIn,
  find,
  async draft(site, episode, draftId) {
    const { title, aboutHtml, marker: slug, audioPath, coverPath } = episode;
    const known = await draftOf(site, episode, draftId);
    // Public by now, whoever did it: nothing is written to it any more.
    if (known?.status === "publish") return String(known.id);
    // It is there with its slug before anything else is: a second try finds it, and the files belong to it.
    const id = known?.id ?? made.parse(await change(site, "POST", "/wp-json/wp/v2/posts", { title, slug, status: "draft" })).id;
    site.step("upload");
    const audio = (await mediumOf(site, audioPath)) ?? (await upload(site, audioPath, id));
    const cover = coverPath && ((await mediumOf(site, coverPath)) ?? (await upload(site, coverPath, id)));
    const content = textBlocks(aboutHtml) + audioBlock(audio);
    await change(site, "POST", `/wp-json/wp/v2/posts/${id}`, { title, slug, content, ...(cover && { featured_media: cover.id }) });
    return String(id);
  },
  async publish(site, _episode, draftId) {
    return publishById(site, draftId ?? "");
  },
  discard,
  feed,
});

const made = z.object({ id: z.number() });
const medium = z.object({ id: z.number(), source_url: z.string(), mime_type: z.string() });
const types: Readonly<Record<string, string>> = {
  ".mp3": "audio/mpeg",
  ".m4a": "audio/mp4",
  ".wav": "audio/wav",
  ".jpg": "image/jpeg",
  ".png": "image/png",
};

/** Under its own name: that is how it is found again. */
async function upload(site: DriverContext, path: string, postId: number): Promise<Medium> {
  const headers = {
    "content-type": types[extname(path)] ?? "application/octet-stream",
    "content-disposition": `attachment; filename="${basename(path)}"`,
  };
  return medium.parse(await change(site, "POST", `/wp-json/wp/v2/media?post=${postId}`, await readFile(path), headers));
}
