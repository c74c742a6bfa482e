import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import driver from "../../../drivers/spotify-creators.ts";
import { BENCH_LINK, makeBenchEpisode } from "../../../src/driver/bench-files.ts";
import { enter, launch } from "../../../src/driver/bench-visit.ts";
import { createMailSink } from "../twin/mail.ts";
import { openSpotifyCreators } from "./site.ts";

const [email, password] = ["maya@podcrew.example", "demo-password"];

test("in with the password past the code; an Untitled draft is left to its owner; the text arrives whole", async (t) => {
  const site = await openSpotifyCreators({ mail: createMailSink() });
  t.after(async () => site.close());
  const show = site.join({ email, password, mailedCode: true }, "The Slow Hour");
  const folder = await mkdtemp(join(tmpdir(), "podcrew-spotify-"));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  const browser = await launch();
  t.after(async () => browser.close());
  const context = await browser.newContext({ baseURL: site.origin, locale: "en-US" });
  const visit = await enter(driver, { origin: site.origin, account: { email, password, username: show.id } }, context);
  await visit.signIn();
  assert.equal(site.members.tries.length, 1);

  site.shows.create(show.id, { title: "Untitled", about: "", audio: null, cover: null });
  const episode = await makeBenchEpisode(driver, folder);
  const member = visit.site as Parameters<typeof driver.draft>[0];
  const id = await driver.draft(member, episode, null);
  const drafts = site.shows.episodes(show.id, "draft");
  assert.deepEqual(
    drafts.map(({ title }) => title),
    [episode.title, "Untitled"],
  );
  assert.equal(drafts[0]?.id, id);
  assert.equal(drafts[0]?.audio?.name, basename(episode.audioPath));
  const about = drafts[0]?.about ?? "";
  assert.equal(
    about
      .replace(/<\/(p|li)>/g, " ")
      .replace(/<[^>]*>/g, "")
      .replace(/\s+/g, " ")
      .trim(),
    episode.aboutText,
  );
  assert.ok(about.includes(`href="${BENCH_LINK.replace("&", "&amp;")}"`), about);
  assert.equal(about.split("<li>").length - 1, 2);

  await driver.publish(member, episode, id ?? null);
  visit.page.setDefaultTimeout(1000);
  await assert.rejects(driver.draft(member, episode, id ?? null), /Timeout/, "a draft that is out is not made anew");
  assert.equal(site.shows.history().length, 1);
});
