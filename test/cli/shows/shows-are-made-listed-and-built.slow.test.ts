import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createPodopsClient } from "../../../src/kit/podops-client.ts";
import { freePorts } from "../../support/podcrew.ts";
import { cover, feedXml, givenHost, recordingAt } from "./given-feed.ts";
import { givenOperator } from "./given-studio.ts";

test("a show is made, changed by what is said anew only, listed and built; its feed is valid", async (t) => {
  const { run, feed, dataDir, studio } = await givenOperator(t);
  await writeFile(join(dataDir, "cover.png"), await cover(1500, "png"));
  const words = ["--title", "Slow Mornings", "--language", "vi", "--author", "Maya", "--email", "maya@example.com"];
  const made = await run(["show", "create", "slow-mornings", ...words, "--category", "Arts", "--cover", "cover.png"]);
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /^slow-mornings is there: .*\/s\/slow-mornings\nIts feed: .*\/feeds\/slow-mornings\.xml\n$/);
  const changed = await run(["show", "create", "slow-mornings", "--summary", "Unhurried conversations.", "--json"]);
  assert.equal(changed.code, 0, changed.err);
  assert.match((JSON.parse(changed.out) as { guid: string }).guid, /^[0-9a-f]{12}$/);

  const empty = await run(["show", "build", "slow-mornings"]);
  assert.equal(empty.code, 1);
  assert.match(empty.err, /episode/i, "what keeps it from being built is said");

  const { adminKey } = JSON.parse(await (await import("node:fs/promises")).readFile(join(dataDir, "studio.json"), "utf8")) as {
    adminKey: string;
  };
  const client = createPodopsClient({ url: studio.url, key: { admin: adminKey } });
  await writeFile(join(dataDir, "one.mp3"), recordingAt("/one.mp3"));
  await client.upload("slow-mornings", { path: join(dataDir, "one.mp3"), type: "audio/mpeg" });
  await client.createResource({
    params: { prod: "slow-mornings", kind: "episode", id: "episode-one" },
    body: { kind: "episode", description: { title: "One", summary: "The first." }, enclosure: { uri: "one.mp3" } },
  });
  assert.equal((await run(["show", "build", "slow-mornings", "--check"])).out, "slow-mornings can be built.\n");
  const built = await run(["show", "build", "slow-mornings"]);
  assert.equal(built.code, 0, built.err);
  assert.match(built.out, /^slow-mornings is built: http.*\n$/);
  const xml = await feed("slow-mornings");
  for (const part of ["Slow Mornings", "Unhurried conversations.", "<language>vi</language>", "maya@example.com", "One"])
    assert.ok(xml.includes(part), part);

  const list = await run(["show", "list"]);
  assert.match(list.out, /^NAME +TITLE +EPISODES +LATEST +FEED\nslow-mornings +Slow Mornings +1 published +\d{4}-\d\d-\d\d +http/);
  const valid = await run(["show", "validate", `${studio.url}/feeds/slow-mornings.xml`, "--json"]);
  assert.equal(valid.code, 0, valid.out);
  const { findings, episodes } = JSON.parse(valid.out) as { findings: { code: string }[]; episodes: number };
  assert.deepEqual([episodes, findings.map(({ code }) => code)], [1, ["answer.feed.https"]]);
});

test("all that the studio finds wrong with a show is said at once", async (t) => {
  const { run } = await givenOperator(t);
  const wrong = await run(["show", "create", "slow-mornings", "--language", "Vietnamese!", "--email", "nobody"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /^ {2}metadata\.labels\.language: /m);
  assert.match(wrong.err, /^ {2}description\.owner\.email: /m);
});

test("a missing studio, a missing key and a wrong key are one sentence each; a key goes to its own studio only", async (t) => {
  const { run } = await givenOperator(t);
  const host = await givenHost(t);
  const [port] = await freePorts(1);
  const nobody = await run(["show", "list"], { STUDIO_URL: `http://127.0.0.1:${port}`, STUDIO_KEY: "pcs_demo-key" });
  assert.match(nobody.err, /^No studio answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Start one/);
  const elsewhere = await run(["show", "list"], { STUDIO_URL: host.origin });
  assert.match(elsewhere.err, /^There is no key for http.*: set STUDIO_KEY to an admin key or a token\.$/m);
  assert.equal(host.asked.size, 0, "nobody was asked");
  const wrong = await run(["show", "list"], { STUDIO_KEY: "pcs_demo-wrong-key" });
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /does not take the key/);
  const token = await run(["show", "list", "--as", "maya@example.com"], { STUDIO_KEY: "a.b.c" });
  assert.match(token.err, /A token is its subject's/);
});

test("a feed of another host is told what is wrong with it, and the exit code says whether it will do", async (t) => {
  const { run } = await givenOperator(t);
  const host = await givenHost(t);
  host.answer(
    "/feed.xml",
    feedXml(host.origin, [
      { guid: "a", title: "A", audio: "/a.mp3" },
      { guid: "a", title: "B", audio: "/gone.wav" },
    ]),
  );
  const said = await run(["show", "validate", `${host.origin}/feed.xml`]);
  assert.equal(said.code, 1);
  assert.match(said.out, /^Chuyện phố & đêm: 2 episodes, \d+ kB in \d+ ms\n/);
  assert.match(said.out, /error .*Several episodes have the guid "a"/);
  assert.match(said.out, /error .*gone\.wav: HEAD was answered with 404/);
  assert.match(said.out, /\d+ errors?, \d+ warnings?.*\.\n$/);
  const none = await run(["show", "validate", `${host.origin}/feed.xml`, "--media", "some"]);
  assert.match(none.err, /^--media some is neither a whole number nor "all"/);
});
