import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Visitor } from "../twin/visitor.ts";
import { openSoundOn } from "./site.ts";

const [email, password] = ["maya@podcrew.example", "demo-password"];

async function given(t: TestContext) {
  const site = await openSoundOn({ processingMs: 0 });
  t.after(async () => site.close());
  const show = site.join({ email, password }, "午後電台");
  const visitor = new Visitor(site.origin);
  const enter = async (word = password, path = "/auth/login") => visitor.submit(path, { email, password: word });
  const post = async (status: string) => {
    const audio = await visitor.upload("one.mp3", "audio/mpeg", "sound");
    const fields = { title: "第一集", description: "<p>一</p>", audio, status };
    return visitor.call<{ data: { id: string } }>(`/v2/podcasts/${show.id}/episodes`, fields);
  };
  return { site, show, visitor, enter, post };
}

test("to publish twice is to have it twice, in the list and in the feed", async (t) => {
  const { site, show, visitor, enter, post } = await given(t);
  await enter();
  const [one, two] = [await post("published"), await post("published")];
  assert.ok(one && two);
  assert.notEqual(one.data.id, two.data.id);
  assert.deepEqual(
    site.shows.history().map(({ outcome }) => outcome),
    ["published", "published"],
  );
  assert.equal((await visitor.get(`/podcasts/${show.id}.xml`)).text.split("<title>第一集</title>").length - 1, 2);
});

test("a draft is in the list and not in the feed", async (t) => {
  const { site, show, visitor, enter, post } = await given(t);
  await enter();
  const draft = await post("draft");
  assert.deepEqual(site.shows.history(), []);
  assert.match((await visitor.get(`/v2/podcasts/${show.id}/episodes`)).text, /"state":"draft"/);
  assert.doesNotMatch((await visitor.get(`/podcasts/${show.id}.xml`)).text, /<item>/);
  assert.equal((await visitor.get(`/p/${show.id}/episodes/${draft?.data.id}`)).status, 404);
});

test("whoever comes without a session signs in and arrives where they were going, within the studio", async (t) => {
  const { site, show, visitor, enter } = await given(t);
  const wanted = `/app/podcasts/${show.id}/episodes`;
  const { location } = await visitor.get(wanted);
  assert.equal(location, `/auth/login?path=${encodeURIComponent(wanted)}`);
  assert.match((await enter("demo-guess", location)).text, /帳號或密碼錯誤/);
  assert.equal((await enter(password, location)).location, wanted);
  assert.equal((await enter(password, "/auth/login?path=//evil.example")).location, "/app/podcasts");
  site.members.lock(email);
  assert.match((await enter()).text, /次數過多/);
});
