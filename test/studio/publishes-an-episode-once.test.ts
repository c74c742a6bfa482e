import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { eachBackend, givenPglite } from "../support/store.ts";
import { email, givenShow, givenStudio, showName, signedIn, wav } from "./support.ts";

eachBackend("publishing twice is one episode, one answer and two rows of history", async (t, given) => {
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  const maya = await signedIn(studio);
  const guid = await maya.draft({ title: "The harbour at five", fileName: "ep-k7f3zq2mn5xw4rta.wav" });
  const first = await maya.publish(guid);
  const second = await maya.publish(guid);
  assert.equal(first.status, 200);
  assert.deepEqual(first.json, { guid, link: `${studio.url}/e/slow-mornings/the-harbour-at-five-${guid}` });
  assert.deepEqual(second.json, first.json);

  const { text: feed } = await maya.get("/feeds/slow-mornings.xml");
  assert.equal(feed.match(/<item>/g)?.length, 1);
  const history = await studio.history();
  assert.deepEqual(
    history.map(({ outcome, episode, account, title, audioFile, link, show }) => ({
      outcome,
      episode,
      account,
      title,
      audioFile,
      link,
      show,
    })),
    ["published", "repeat"].map((outcome) => ({
      outcome,
      episode: guid,
      account: email,
      title: "The harbour at five",
      audioFile: "ep-k7f3zq2mn5xw4rta.wav",
      link: first.json["link"],
      show: showName,
    })),
  );
});

eachBackend("twenty publish requests at once are one episode", async (t, given) => {
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  const maya = await signedIn(studio);
  const guid = await maya.draft({ title: "All at once" });
  const answers = await Promise.all(Array.from({ length: 20 }, async () => maya.publish(guid)));
  assert.equal(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1);
  const outcomes = (await studio.history()).map(({ outcome }) => outcome);
  assert.equal(outcomes.filter((outcome) => outcome === "published").length, 1);
  assert.equal(outcomes.length, 20);
});

eachBackend("the history can't be changed, not even by the studio", async (t, given) => {
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  const maya = await signedIn(studio);
  await maya.publish(await maya.draft({ title: "For the record" }));
  const db = given.store.part("studio");
  for (const statement of ["update studio.history set title = ''", "delete from studio.history", "truncate studio.history"]) {
    await assert.rejects(sql.raw(statement).execute(db), /append-only/);
  }
  assert.equal((await studio.history()).length, 1);
});

test("what is not ready is refused with a sentence, and that is in the history, too", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t), { edges: { processingMs: 3_600_000 } });
  await givenShow(studio);
  const maya = await signedIn(studio);
  const untitled = await maya.call("POST", "/shows/slow-mornings/episodes", {});
  const silent = await maya.call("POST", "/shows/slow-mornings/episodes", { title: "Silence" });
  const audio = await maya.upload("audio", "a.wav", wav(1));
  const early = await maya.call("POST", "/shows/slow-mornings/episodes", { title: "Too early", audio: audio.json["guid"] });
  const said = [];
  for (const { json } of [untitled, silent, early]) {
    const { status, json: answer } = await maya.publish(String(json["guid"]));
    said.push(`${status} ${String(answer["message"])}`);
  }
  assert.deepEqual(said, [
    "422 The episode needs a title.",
    "422 The episode needs audio. Choose a recording first.",
    "409 The audio is still being processed. Try again in a moment.",
  ]);
  assert.deepEqual(
    (await studio.history()).map(({ outcome, reason }) => [outcome, reason]),
    [
      ["refused", "titleMissing"],
      ["refused", "audioMissing"],
      ["refused", "audioNotReady"],
    ],
  );
});

test("a published episode can be edited but neither deleted nor emptied, and its link stays", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const guid = await maya.draft({ title: "First words" });
  const { json } = await maya.publish(guid);
  const path = `/shows/slow-mornings/episodes/${guid}`;
  assert.equal((await maya.call("DELETE", path)).status, 409);
  assert.equal((await maya.call("PUT", path, { title: "Other words" })).status, 422);
  const page = await maya.get(`${path}/edit`);
  const audio = /data-upload="audio" data-asset="(\w+)"/.exec(page.text)?.[1];
  assert.equal((await maya.call("PUT", path, { title: "Other words", audio })).status, 200);
  const link = new URL(String(json["link"])).pathname;
  assert.match((await maya.get(link)).text, /<h1>Other words<\/h1>/);
  assert.equal((await maya.get(`/e/slow-mornings/${guid}`)).location, link);
});

test("the list finds an episode by its title and by the name of its audio file, page by page", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const guid = await maya.draft({ title: "100 % Bánh mì_", fileName: "ep-aaaa2222bbbb3333.wav" });
  for (let index = 0; index < 22; index++) await maya.call("POST", "/shows/slow-mornings/episodes", { title: `Draft ${index}` });
  const rows = async (query: string): Promise<string[]> =>
    [
      ...(await maya.get(`/shows/slow-mornings/episodes${query}`)).text.matchAll(
        /<tr data-guid="(\w+)" data-status="(\w+)" data-file="([^"]*)"/g,
      ),
    ].map((match) => match.slice(1).join(" "));
  assert.equal((await rows("")).length, 20);
  assert.equal((await rows("?page=2")).length, 3);
  assert.equal((await rows("?page=99")).length, 3);
  const found = [`${guid} draft ep-aaaa2222bbbb3333.wav`];
  assert.deepEqual(await rows("?search=ep-aaaa2222bbbb3333"), found);
  assert.deepEqual(await rows(`?search=${encodeURIComponent("bánh MÌ_")}`), found);
  assert.deepEqual(await rows(`?search=${encodeURIComponent("0 %")}`), found);
  assert.match((await maya.get("/shows/slow-mornings/episodes?search=%25_x")).text, /Nothing matches/);
});
