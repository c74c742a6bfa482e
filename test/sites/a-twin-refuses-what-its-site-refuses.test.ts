import assert from "node:assert/strict";
import { request as plainRequest } from "node:http";
import { suite, test } from "node:test";
import sharp from "sharp";
import { Visitor as FormVisitor } from "../studio/support.ts";
import { openBuzzsprout } from "./buzzsprout/twin.ts";
import { openCastopod } from "./castopod/twin.ts";
import { openPodbean } from "./podbean/twin.ts";
import { openSpreaker } from "./spreaker/twin.ts";
import { Visitor } from "./twin/visitor.ts";

const audio = (name: string): File => new File([Buffer.from("ID3 demo")], name, { type: "audio/mpeg" });

async function cover(width: number, height = width): Promise<File> {
  const image = await sharp({ create: { width, height, channels: 3, background: "#1f7a6d" } })
    .jpeg()
    .toBuffer();
  return new File([new Uint8Array(image)], "cover.jpg", { type: "image/jpeg" });
}

function form(fields: Record<string, string | File>): FormData {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return body;
}

suite("Buzzsprout", () => {
  test("takes no request without a User-Agent, and none by a wrong token", async (t) => {
    const { origin, podcast, token, close } = await openBuzzsprout();
    t.after(close);
    const address = `${origin}/api/${podcast}/episodes.json`;
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    // Node's plain client sends none of its own accord.
    plainRequest(address, { headers: { authorization: `Token token=${token}` } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).end();
    assert.equal(await promise, 403);
    assert.equal((await fetch(address, { headers: { authorization: "Token token=demo-wrong" } })).status, 401);
    assert.equal((await fetch(address, { headers: { authorization: `Token token=${token}` } })).status, 200);
  });

  test("takes no episode without a title, and no body that is neither JSON nor a form", async (t) => {
    const { origin, podcast, token, history, close } = await openBuzzsprout();
    t.after(close);
    const headers = { authorization: `Token token=${token}` };
    const post = async (body: FormData | string): Promise<number> =>
      (await fetch(`${origin}/api/${podcast}/episodes.json`, { method: "POST", headers, body })).status;
    assert.equal(await post(form({ title: " ", audio_file: audio("a.mp3") })), 422);
    assert.equal(await post("title=One"), 415);
    assert.equal(await post(form({ title: "One", private: "true", audio_file: audio("a.mp3") })), 201);
    assert.deepEqual(history(), []);
  });

  test("keeps a private episode off its page and its feed", async (t) => {
    const { origin, podcast, token, close } = await openBuzzsprout();
    t.after(close);
    const headers = { authorization: `Token token=${token}`, "content-type": "application/json" };
    const body = JSON.stringify({ title: "Not yet", private: true });
    const made = await fetch(`${origin}/api/${podcast}/episodes.json`, { method: "POST", headers, body });
    const { id } = (await made.json()) as { id: number };
    assert.equal((await fetch(`${origin}/${podcast}/${id}`)).status, 404);
    assert.doesNotMatch(await (await fetch(`${origin}/${podcast}.rss`)).text(), /Not yet/);
  });
});

suite("Spreaker", () => {
  test("takes no episode without a title or without audio, and nothing by a wrong token", async (t) => {
    const { origin, show, token, history, close } = await openSpreaker();
    t.after(close);
    const post = async (fields: Record<string, string | File>, bearer = token): Promise<number> => {
      const headers = { authorization: `Bearer ${bearer}` };
      return (await fetch(`${origin}/v2/shows/${show}/episodes`, { method: "POST", headers, body: form(fields) })).status;
    };
    assert.equal(await post({ media_file: audio("a.mp3") }), 400);
    assert.equal(await post({ title: "One" }), 400);
    assert.equal(await post({ title: "One", media_file: audio("a.mp3") }, "demo-wrong"), 401);
    assert.deepEqual(history(), []);
  });

  test("shows an episode to listeners when it is encoded, to its owner at once", async (t) => {
    const { origin, show, token, behaviour, close } = await openSpreaker();
    t.after(close);
    behaviour.encodingMs = 60_000;
    const headers = { authorization: `Bearer ${token}` };
    const body = form({ title: "One", media_file: audio("a.mp3") });
    const made = await (await fetch(`${origin}/v2/shows/${show}/episodes`, { method: "POST", headers, body })).text();
    assert.match(made, /"encoding_status":"PENDING"/);
    const list = async (query: string): Promise<string> =>
      (await fetch(`${origin}/v2/shows/${show}/episodes?${query}`, { headers })).text();
    assert.match(await list("filter=editable"), /"PENDING"/);
    assert.match(await list(""), /"items":\[\]/);
    const feed = `${origin}/show/${show}/episodes/feed`;
    assert.doesNotMatch(await (await fetch(feed)).text(), /<item>/);
    behaviour.encodingMs = 0;
    assert.match(await list(""), /"READY"/);
    assert.match(await (await fetch(feed)).text(), /<item>/);
  });
});

suite("Podbean", () => {
  test("takes titles of 5 to 200 characters and square covers of 1400 to 3000 px", async (t) => {
    const { origin, token: access_token, drafts, close } = await openPodbean();
    t.after(close);
    const upload = async (file: File): Promise<string> => {
      const query = new URLSearchParams({ access_token, filename: file.name, filesize: String(file.size), content_type: file.type });
      const asked = await fetch(`${origin}/v1/files/uploadAuthorize?${query}`);
      const { presigned_url, file_key } = (await asked.json()) as { presigned_url: string; file_key: string };
      assert.equal((await fetch(presigned_url, { method: "PUT", body: file })).status, 200);
      return file_key;
    };
    const post = async (fields: Record<string, string>): Promise<string> => {
      const body = new URLSearchParams({ access_token, status: "draft", type: "public", ...fields });
      const answer = await fetch(`${origin}/v1/episodes`, { method: "POST", body });
      return answer.ok ? "taken" : ((await answer.json()) as { error: string }).error;
    };
    assert.equal(await post({ title: "Four" }), "input_params_invalid");
    assert.equal(await post({ title: "x".repeat(201) }), "input_params_invalid");
    for (const file of [await cover(1399), await cover(3001), await cover(1400, 1500)])
      assert.equal(await post({ title: "A title", logo_key: await upload(file) }), "input_params_invalid");
    assert.equal(drafts(), 0);
    assert.equal(await post({ title: "A title", logo_key: await upload(await cover(1400)) }), "taken");
    assert.equal(await post({ title: "A title", access_token: "demo-wrong" }), "invalid_token");
    assert.equal(drafts(), 1);
  });

  test("lets nobody in without the password and the code, and takes no cover that is no picture", async (t) => {
    const { origin, add, drafts, close } = await openPodbean();
    t.after(close);
    const { email, password } = add({
      email: "maya@podcrew.example",
      password: "demo-password",
      totpSecret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    });
    const visitor = new Visitor(origin);
    assert.equal((await visitor.get("/dashboard")).location, "/login");
    assert.match((await visitor.submit("/login", { email, password: "demo-wrong" })).text, /Incorrect email or password/);
    assert.equal((await visitor.submit("/login", { email, password })).location, "/login/code");
    assert.equal((await visitor.get("/dashboard")).location, "/login", "the code is still to come");
    assert.match((await visitor.submit("/login/code", { code: "12345" })).text, /The code is incorrect/);
    add({ email, password });
    assert.equal((await visitor.submit("/login", { email, password })).location, "/dashboard");
    const cover = await visitor.upload("cover.jpg", "image/jpeg", "demo");
    assert.equal(await visitor.call("/api/drafts", { id: "", title: "A title", about: "", audio: "", cover }), null);
    assert.equal(drafts(), 0);
  });
});

suite("Castopod", () => {
  test("takes mp3 and m4a, square covers of 1400 to 3000 px, notes of 4,000 characters, and a slug once", async (t) => {
    const { origin, add, drafts, close } = await openCastopod();
    t.after(close);
    const { email, password } = add({ email: "maya@podcrew.example", password: "demo-password" });
    const visitor = new FormVisitor(origin);
    await visitor.request("POST", "/cp-auth/login", { body: form({ email, password }) });
    const post = async (fields: Record<string, string | File>): Promise<number> => {
      const whole = { title: "One", slug: "one", description: "Notes", audio_file: audio("a.mp3"), ...fields };
      return (await visitor.request("POST", "/cp-admin/podcasts/1/episodes/new", { body: form(whole) })).status;
    };
    const wrong: Record<string, string | File>[] = [
      { audio_file: audio("a.wav") },
      { cover: await cover(1399) },
      { cover: await cover(3001) },
      { cover: await cover(1400, 1500) },
      { description: "x".repeat(4001) },
      { title: "" },
      { slug: "" },
    ];
    for (const fields of wrong) assert.equal(await post(fields), 200, `shown again: ${Object.keys(fields).join()}`);
    assert.equal(drafts(), 0);
    assert.equal(await post({ cover: await cover(1400), description: "x".repeat(4000) }), 303);
    assert.equal(await post({ audio_file: audio("b.m4a") }), 200, "the slug is taken");
    assert.equal(drafts(), 1);
  });

  test("publishes on the second page only, and deletes only what was never published", async (t) => {
    const { origin, add, history, close } = await openCastopod();
    t.after(close);
    const { email, password } = add({ email: "maya@podcrew.example", password: "demo-password" });
    const visitor = new FormVisitor(origin);
    const at = "/cp-admin/podcasts/1/episodes";
    const post = async (path: string, fields: Record<string, string | File>): Promise<number> =>
      (await visitor.request("POST", path, { body: form(fields) })).status;
    assert.equal(await post(`${at}/new`, { title: "One" }), 303, "a stranger is led to the sign-in page");
    await post("/cp-auth/login", { email, password });
    await post(`${at}/new`, { title: "One", slug: "one", description: "", audio_file: audio("a.mp3") });
    assert.equal((await fetch(`${origin}/@slow_mornings/episodes/one`)).status, 404);
    assert.equal(await post(`${at}/1/publish`, { message: "" }), 200, "without a method");
    assert.deepEqual(history(), []);
    assert.equal(await post(`${at}/1/publish`, { message: "", publication_method: "now" }), 303);
    assert.equal((await fetch(`${origin}/@slow_mornings/episodes/one`)).status, 200);
    assert.equal(await post(`${at}/1/delete`, { understand: "yes" }), 200);
    assert.equal((await fetch(`${origin}/@slow_mornings/episodes/one`)).status, 200);
  });
});

test("nobody outside changes a twin's history", async (t) => {
  const { given, history, close } = await openSpreaker();
  t.after(close);
  given("One");
  history().pop();
  const [entry] = history();
  if (entry) entry.outcome = "repeat";
  assert.deepEqual(
    history().map(({ title, outcome }) => [title, outcome]),
    [["One", "published"]],
  );
});
