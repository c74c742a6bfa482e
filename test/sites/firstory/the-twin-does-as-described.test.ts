import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createMailSink } from "../twin/mail.ts";
import { Visitor } from "../twin/visitor.ts";
import { openFirstory } from "./site.ts";

const [email, password] = ["maya@podcrew.example", "demo-password"];

async function given(t: TestContext, how: { mailedCode?: boolean } = {}) {
  const mail = createMailSink();
  const site = await openFirstory({ mail, processingMs: 0 });
  t.after(async () => site.close());
  const show = site.join({ email, password, ...how }, "午後電台");
  const code = (index: number): string => /\d{6}/.exec(mail.letters[index]?.text ?? "")?.[0] ?? "none";
  const enter = async (visitor: Visitor, word = password) => visitor.submit("/login", { email, password: word });
  return { site, show, mail, code, enter, visitor: new Visitor(site.origin) };
}

test("a code is mailed after the password, and opens the studio once", async (t) => {
  const { site, mail, code, enter, visitor } = await given(t, { mailedCode: true });
  assert.equal((await enter(visitor)).location, "/login/code");
  assert.equal((await visitor.get("/dashboard")).location, "/login", "a password alone opens nothing");
  assert.equal(mail.letters[0]?.to, email);
  assert.equal((await visitor.submit("/login/code", { code: code(0) })).location, "/dashboard");
  assert.match((await visitor.get("/dashboard")).text, /午後電台/);

  // Two who wait for a code: the newest is good for one of them.
  const [other, thief] = [new Visitor(site.origin), new Visitor(site.origin)];
  await enter(thief);
  await enter(other);
  assert.equal((await other.submit("/login/code", { code: code(2) })).location, "/dashboard");
  assert.match((await thief.submit("/login/code", { code: code(2) })).text, /驗證碼錯誤或已失效/);
});

test("a code that is sent again makes the first one worthless", async (t) => {
  const { site, code, enter, visitor } = await given(t, { mailedCode: true });
  await enter(visitor);
  await visitor.submit("/login/code/again", {});
  if (code(0) !== code(1)) assert.equal((await visitor.submit("/login/code", { code: code(0) })).status, 401);
  assert.equal((await visitor.submit("/login/code", { code: code(1) })).location, "/dashboard");
  assert.deepEqual(
    site.members.tries.map(({ entrance }) => entrance),
    ["code"],
  );
});

test("five wrong passwords lock, and the right one no longer opens", async (t) => {
  const { enter, visitor } = await given(t);
  for (let guess = 0; guess < 5; guess++) assert.match((await enter(visitor, `demo-guess-${guess}`)).text, /帳號或密碼錯誤/);
  assert.match((await enter(visitor)).text, /次數過多/);
});

test("a published episode can't go back to draft, and publishing it again makes no second one", async (t) => {
  const { site, show, enter, visitor } = await given(t);
  await enter(visitor);
  const operate = async (operationName: string, variables: Record<string, string>) =>
    visitor.call<{ id: string }>("/graphql", { operationName, variables });
  const audio = await visitor.upload("one.mp3", "audio/mpeg", "sound");
  const id = (await operate("saveDraft", { show: show.id, title: "第一集", about: "<p>一</p>", audio }))?.id ?? "";
  assert.equal((await visitor.get(`/story/${id}`)).status, 404, "a draft is not public");

  await operate("publishEpisode", { id });
  await operate("saveDraft", { show: show.id, id, title: "第一集，改", about: "<p>一</p>" });
  assert.equal(await operate("deleteDraft", { id }), null);
  await operate("publishEpisode", { id });
  assert.deepEqual(
    site.shows.episodes(show.id, "published").map(({ title }) => title),
    ["第一集，改"],
  );
  assert.deepEqual(site.shows.episodes(show.id, "draft"), []);
  assert.deepEqual(
    site.shows.history().map(({ outcome }) => outcome),
    ["published", "repeat"],
  );
});

test("each show has a feed of its own, with what is published and nothing else", async (t) => {
  const { site, show, enter, visitor } = await given(t);
  await enter(visitor);
  const audio = await visitor.upload("a name that nobody sees again.mp3", "audio/mpeg", "sound");
  for (const [title, publish] of [
    ["公開", true],
    ["草稿", false],
  ] as const) {
    const saved = await visitor.call<{ id: string }>("/graphql", {
      operationName: "saveDraft",
      variables: { show: show.id, title, about: "<p>…</p>", audio },
    });
    if (publish) await visitor.call("/graphql", { operationName: "publishEpisode", variables: { id: saved?.id } });
  }
  const other = site.join({ email: "other@podcrew.example", password }, "早安");
  const feed = (await visitor.get(`/rss/user/${show.id}`)).text;
  assert.match(feed, /<title>公開<\/title>/);
  assert.doesNotMatch(feed, /<title>草稿<\/title>|nobody sees/);
  assert.match(feed, /<enclosure url="http:[^"]+\.mp3" length="5" type="audio\/mpeg"\/>/);
  assert.doesNotMatch((await visitor.get(`/rss/user/${other.id}`)).text, /<item>/);
  const [, address = ""] = /<enclosure url="([^"]+)"/.exec(feed) ?? [];
  const part = await fetch(address, { headers: { range: "bytes=1-2" } });
  assert.deepEqual([part.status, await part.text()], [206, "ou"]);
});
