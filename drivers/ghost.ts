import { defineDriver } from "../src/driver/index.ts";
import { account, declared, discard, draft, feed, find, isSignedIn, post, quick, signIn } from "./ghost/site.ts";

/** A podcast on a Ghost of one's own, published in its editor as a person would. */
export default defineDriver({
  site: "ghost",
  ...declared,
  account,
  isSignedIn,
  signIn,
  find,
  draft,
  async publish(site, _episode, draftId) {
    const { page } = site;
    const now = await post(site, draftId ?? "");
    if (now.status === "published") return { id: now.id, link: now.url };
    await page.goto(`/ghost/#/editor/post/${draftId}`, quick);
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page.getByRole("button", { name: "Continue, final review" }).click();
    // Where Ghost would mail it to subscribers as well, the button has another name: that is not ours to decide. It never stands
    // still, as a click would wait for.
    await page.getByRole("button", { name: "Publish post, right now" }).press("Enter");
    await page.getByRole("heading", { name: /it.s out there|published/i, level: 1 }).waitFor();
    const { id, url, status } = await post(site, draftId ?? "");
    return { id, link: status === "published" ? url : "" };
  },
  discard,
  feed,
});
