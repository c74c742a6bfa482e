import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { MPEGDecoder } from "mpg123-decoder";
import { demoEpisodes } from "../../src/cli/demo-content.ts";
import { copyEmptyDatabase } from "../support/store.ts";
import { publishes } from "../support/history.ts";
import { ownPorts, podcrew } from "../support/podcrew.ts";
import { tempDir } from "../support/temp.ts";

interface Result {
  ok: boolean;
  status: string;
  episodes: { id: string; title: string; link: string }[];
  link_rss: string;
}

/** What `npm start` runs, from an empty data folder, seen from the outside: stdout, the feed, the manager, the site's history. */
test("the demo publishes three narrated episodes that play, reports them, and does nothing twice", async (t) => {
  const data = await tempDir(t, "demo");
  const env = await ownPorts(data);
  const first = podcrew(t, ["demo", "--json"], { env });
  const [line] = await first.says(/^\{"ok".*\}$/m, 150_000);
  const result = JSON.parse(line) as Result;

  await t.test("the JSON names three episodes with links, and the RSS link", async () => {
    assert.equal(result.ok, true);
    assert.deepEqual(
      result.episodes.map(({ title }) => title),
      demoEpisodes("").map(({ title }) => title),
    );
    for (const { link } of result.episodes) assert.equal((await fetch(link)).status, 200);
    assert.equal(first.stdout().trim().split("\n").length, 1, "stdout holds that line and nothing else");
  });

  await t.test("the feed has three items whose enclosures are MP3s that play as long as the feed says", async () => {
    const feed = await (await fetch(result.link_rss)).text();
    const items = [...feed.matchAll(/<item>.*?<\/item>/gs)].map(([item]) => item);
    assert.equal(items.length, 3);
    for (const item of items) {
      const [, url = "", length, type] = /<enclosure url="([^"]+)" length="(\d+)" type="([^"]+)"/.exec(item) ?? [];
      const said = seconds(/<itunes:duration>([^<]+)</.exec(item)?.[1] ?? "");
      const answer = await fetch(url);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      assert.equal(answer.headers.get("content-type"), "audio/mpeg");
      assert.equal(type, "audio/mpeg");
      assert.equal(bytes.length, Number(length));
      const played = await play(bytes);
      assert.ok(played.seconds > 10 && Math.abs(played.seconds - said) <= 1, `plays ${played.seconds} s, the feed says ${said} s`);
      assert.ok(played.loudest > 0.1, "it is not silence");
      const part = await fetch(url, { headers: { range: "bytes=0-99" } });
      assert.deepEqual([part.status, (await part.arrayBuffer()).byteLength], [206, 100]);
    }
  });

  await t.test("Vietnamese comes through byte for byte", async () => {
    const feed = await (await fetch(result.link_rss)).text();
    const [, vietnamese] = demoEpisodes("");
    assert.ok(feed.includes(vietnamese?.title ?? "?"));
    assert.ok(feed.includes("Xin chào các bạn. Tối nay chúng ta nói về một lời hứa nhỏ: <em>mỗi tập chỉ được đăng đúng một lần</em>"));
  });

  await t.test("the manager shows the task completed, with the first link, all links, and the account's RSS link", async () => {
    const demo = JSON.parse(await readFile(join(data, "demo.json"), "utf8")) as {
      manager: { url: string; apiKey: string };
      studio: Record<string, string>;
      taskApi: { url: string };
    };
    assert.deepEqual(Object.keys(demo.studio).sort(), ["adminKey", "email", "password", "totpSecret", "url"]);
    assert.equal((await stat(join(data, "demo.json"))).mode & 0o777, 0o600);
    const listed = podcrew(t, ["status", "--json"], { env });
    assert.equal(await listed.ended(), 0);
    assert.equal((JSON.parse(listed.stdout()) as { tasks: { completed: number } }).tasks.completed, 1);
    assert.equal(result.status, "completed");
    assert.match(result.link_rss, /^http:\/\/127\.0\.0\.1:\d+\/feeds\/.+\.xml$/);
    assert.equal((await fetch(`${demo.taskApi.url}/readyz`)).status, 200);
  });

  first.child.kill("SIGTERM");
  assert.equal(await first.ended(), 0);
  for (const secret of await secretsOf(data))
    assert.ok(!first.stderr().includes(secret) && !first.stdout().includes(secret), "no secret in what it prints");

  await t.test("a second start finds what is there and posts nothing", async () => {
    const second = podcrew(t, ["demo", "--once", "--json"], { env });
    assert.equal(await second.ended(90_000), 0, second.stderr());
    assert.deepEqual((JSON.parse(second.stdout()) as Result).episodes, result.episodes);
    assert.equal((await publishes(data)).length, 3, "the studio handled exactly three publish requests");
  });
});

/** Killed at each of these moments (a line of the log), then started again. */
const moments = [/"message":"signed in"/, /"message":"posted"/, /"message":"the RSS link was read"/] as const;

test("kill -9 in the middle and another start: still exactly three", async (t) => {
  const data = await tempDir(t, "killed");
  await copyEmptyDatabase(data);
  const env = await ownPorts(data);
  for (const moment of moments) {
    const run = podcrew(t, ["demo", "--json"], { env });
    await run.says(new RegExp(`${moment.source}|^\\{.*"ok"`, "m"), 120_000);
    run.child.kill("SIGKILL");
    await run.ended();
  }
  const last = podcrew(t, ["demo", "--once", "--json"], { env });
  assert.equal(await last.ended(150_000), 0, last.stderr());
  const handled = await publishes(data);
  assert.deepEqual(
    handled.map(({ outcome }) => outcome),
    ["published", "published", "published"],
  );
  assert.equal(new Set(handled.map(({ title }) => title)).size, 3);
});

async function secretsOf(data: string): Promise<string[]> {
  const { studio, manager } = JSON.parse(await readFile(join(data, "demo.json"), "utf8")) as {
    studio: { password: string; totpSecret: string; adminKey: string };
    manager: { apiKey: string };
  };
  return [studio.password, studio.totpSecret, studio.adminKey, manager.apiKey].filter((secret) => secret !== "");
}

function seconds(duration: string): number {
  return duration.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

async function play(bytes: Uint8Array): Promise<{ seconds: number; loudest: number }> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, samplesDecoded, sampleRate, errors } = decoder.decode(bytes);
  decoder.free();
  assert.deepEqual(errors, []);
  const loudest = (channelData[0] ?? new Float32Array()).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return { seconds: samplesDecoded / sampleRate, loudest };
}
