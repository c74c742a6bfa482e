import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Edges } from "../../src/studio/edges.ts";
import { eachBackend, givenPglite, type Given } from "../support/store.ts";
import { givenShow, givenStudio, showName, signedIn, wav } from "./support.ts";

const FILE = "ep-k7f3zq2mn5xw4rta.wav";

/** Somebody signed in at a studio of this kind, with a recording uploaded; `post` sends the form. */
async function given(t: TestContext, edges: Partial<Edges>, backend?: Given) {
  const studio = await givenStudio(t, backend ?? (await givenPglite(t)), { edges });
  await givenShow(studio);
  const maya = await signedIn(studio);
  const upload = await maya.upload("audio", FILE, wav(1));
  const audio = String(upload.json["guid"]);
  await maya.settled(audio);
  const post = async (title: string, fields: object = { audio }) =>
    maya.call("POST", `/shows/${showName}/episodes`, { title, about: "<p>Hello</p>", ...fields });
  const rows = async (query = ""): Promise<{ guid: string; title: string; file: string; link: string }[]> =>
    (await maya.call("GET", `/shows/${showName}/episodes${query}`)).json["episodes"] as never;
  return { studio, maya, post, rows };
}

eachBackend("one request makes an episode and publishes it, and the same request makes another one", async (t, backend) => {
  const { studio, maya, post, rows } = await given(t, { tier: "list" }, backend);
  const [first, second] = [await post("The harbour at five"), await post("The harbour at five")];
  assert.deepEqual([first.status, second.status], [201, 201]);
  assert.notEqual(first.json["guid"], second.json["guid"]);
  assert.deepEqual(
    (await studio.history()).map(({ outcome, title, audioFile, link }) => ({ outcome, title, audioFile, link })),
    [first, second].map(({ json }) => ({
      outcome: "published",
      title: "The harbour at five",
      audioFile: FILE,
      link: json["link"],
    })),
  );
  assert.equal((await rows()).length, 2);
  assert.equal((await maya.get(`/feeds/${showName}.xml`)).text.match(/<item>/g)?.length, 2);
});

test("what is refused leaves a row in the history and no episode, whichever rule it breaks", async (t) => {
  const { studio, post, rows } = await given(t, { tier: "list" });
  const answers = [await post(""), await post("Silence", {}), await post("x".repeat(201))];
  assert.deepEqual(
    answers.map(({ status, json }) => `${status} ${String(json["code"])}`),
    ["422 titleMissing", "422 audioMissing", "422 titleTooLong"],
  );
  assert.deepEqual(
    (await studio.history()).map(({ outcome, reason }) => [outcome, reason]),
    [
      ["refused", "titleMissing"],
      ["refused", "audioMissing"],
      ["refused", "titleTooLong"],
    ],
  );
  assert.deepEqual(await rows(), []);
});

test("the form has one button, and what is out can still be changed", async (t) => {
  const { maya, post } = await given(t, { tier: "list" });
  const buttons = async (path: string): Promise<string[]> =>
    [...(await maya.get(path)).text.matchAll(/<button[^>]*data-(save|schedule|publish|delete)[ >]/g)].map(([, name]) => name ?? "");
  assert.deepEqual(await buttons(`/shows/${showName}/episodes/new`), ["publish"]);
  const { json } = await post("First words");
  assert.deepEqual(await buttons(`/shows/${showName}/episodes/${String(json["guid"])}/edit`), ["save"]);
});

test("a blind studio lists nothing, neither behind the sign-in nor before; the feed and the answer's address work", async (t) => {
  const { maya, post, rows } = await given(t, { tier: "blind" });
  const { json } = await post("Somewhere");
  assert.deepEqual([await rows(), await rows("?search=Somewhere")], [[], []]);
  const list = await maya.get(`/shows/${showName}/episodes`);
  assert.match(list.text, /keeps no list of episodes/);
  for (const page of [list, await maya.get(`/s/${showName}`)]) assert.doesNotMatch(page.text, /Somewhere/);
  assert.match((await maya.get(new URL(String(json["link"])).pathname)).text, /<h1>Somewhere<\/h1>/);
  assert.match((await maya.get(`/feeds/${showName}.xml`)).text, /Somewhere/);
});

test("a studio that keeps no file names shows none and finds nothing by them; its history knows them", async (t) => {
  const { studio, maya, post, rows } = await given(t, { tier: "list", marker: false });
  const { json } = await post("Nameless");
  assert.deepEqual([(await rows()).map(({ file }) => file), await rows(`?search=${FILE}`)], [[""], []]);
  for (const path of [`/shows/${showName}/episodes`, `/shows/${showName}/episodes/${String(json["guid"])}/edit`, `/feeds/${showName}.xml`])
    assert.doesNotMatch((await maya.get(path)).text, /ep-k7f3/);
  assert.equal((await studio.history())[0]?.audioFile, FILE);
});
