import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createMailSink } from "../twin/mail.ts";
import { Visitor } from "../twin/visitor.ts";
import { openSpotifyCreators } from "./site.ts";

const [email, password] = ["maya@podcrew.example", "demo-password"];

async function given(t: TestContext, how: { mailedCode?: boolean } = {}) {
  const mail = createMailSink();
  const site = await openSpotifyCreators({ mail, processingMs: 0 });
  t.after(async () => site.close());
  const show = site.join({ email, password, ...how }, "The Slow Hour");
  const visitor = new Visitor(site.origin);
  const home = `/pod/show/${show.id}/episodes`;
  const enter = async (word = password) => visitor.submit("/en/login/password", { email, password: word });
  /** What a wizard has done when its file is there. */
  const begin = async (): Promise<string> => {
    const made = await visitor.call<{ episodeId: string }>(`/v3/stations/${show.id}/episodes`, { hourOffset: 0 });
    const upload = await visitor.upload("one.mp3", "audio/mpeg", "sound");
    await visitor.call(`/v3/upload/${upload}/process_upload`, { episodeId: made?.episodeId });
    return made?.episodeId ?? "";
  };
  const update = async (id: string, fields: Record<string, unknown>) =>
    visitor.call<{ didChangePublishState: boolean }>(`/v3/episodes/${id}/update`, fields);
  return { site, show, mail, visitor, home, enter, begin, update };
}

test("who is asked for a mailed code may use it once, or take the password instead", async (t) => {
  const { site, mail, visitor, home, enter } = await given(t, { mailedCode: true });
  assert.match((await visitor.submit("/en/login", { email })).text, /Enter the 6-digit code[\s\S]*Log in with a password/);
  const thief = new Visitor(site.origin);
  await thief.submit("/en/login", { email });
  const code = /\d{6}/.exec(mail.letters[1]?.subject ?? "")?.[0] ?? "none";
  assert.equal((await visitor.submit("/en/login/code", { code })).location, home);
  assert.match((await thief.submit("/en/login/code", { code })).text, /incorrect or has expired/);
  assert.equal((await enter()).location, home);
  assert.match((await enter("demo-guess")).text, /Incorrect username or password/);
});

test("a wizard that is left leaves an Untitled draft", async (t) => {
  const { site, show, enter, begin } = await given(t);
  await enter();
  await begin();
  assert.deepEqual(
    site.shows.episodes(show.id, "draft").map(({ title }) => title),
    ["Untitled"],
  );
});

test("a title and a description are required, saving publishes nothing, publishing again changes nothing", async (t) => {
  const { site, show, enter, begin, update } = await given(t);
  await enter();
  const id = await begin();
  assert.equal(await update(id, { title: "One", description: "", isPublished: true }), null);
  assert.equal(await update(id, { title: "", description: "<p>1</p>", isPublished: true }), null);
  const whole = { title: "One", description: "<p>1</p>" };
  assert.equal((await update(id, { ...whole, isPublished: false }))?.didChangePublishState, false);
  assert.deepEqual(site.shows.history(), []);
  assert.equal((await update(id, { ...whole, isPublished: true }))?.didChangePublishState, true);
  assert.equal((await update(id, { ...whole, isPublished: true }))?.didChangePublishState, false);
  assert.equal(site.shows.episodes(show.id, "published").length, 1);
});

test("the owner's address is in the feed only where the owner wants it", async (t) => {
  const { show, visitor } = await given(t);
  const feed = async () => (await visitor.get(`/s/${show.id}/podcast/rss`)).text;
  assert.doesNotMatch(await feed(), /itunes:email/);
  show.feedEmail = email;
  assert.match(await feed(), /<itunes:email>maya@podcrew\.example<\/itunes:email>/);
});
