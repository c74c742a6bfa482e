import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test, type TestContext } from "node:test";
import podops from "../../drivers/podops.ts";
import type { EpisodeResource } from "../../src/contract/podops-resource.ts";
import type { Assignment, PreparedEpisode } from "../../src/contract/task.ts";
import { closeBrowser } from "../../src/worker/entry.ts";
import { recordingAt } from "../cli/shows/given-feed.ts";
import { makeAssignment, makeEpisode, runToEnd } from "../support/coordinator.ts";
import { openPodopsTarget, PRODUCTION, type PodopsTarget } from "./podops-target.ts";

const folder = await mkdtemp(join(tmpdir(), "podcrew-podops-run-"));
const blank = { email: "", username: "", password: "", passMail: "", twofa: "", appPassword: "", cookie: "" };

async function given(t: TestContext): Promise<PodopsTarget> {
  const target = await openPodopsTarget();
  t.after(target.close);
  return target;
}

function assign({ origin, adminKey }: PodopsTarget, account: object = { password: adminKey }, over: Partial<Assignment> = {}): Assignment {
  return makeAssignment({
    origin,
    driverModule: new URL("../../drivers/podops.ts", import.meta.url).href,
    folder,
    site: "podops",
    accountKey: "podops:1",
    credentials: { ...blank, ...account },
    stepTimeoutMs: 20_000,
    ...over,
  });
}

async function episode(number: number, over: Partial<PreparedEpisode> = {}): Promise<PreparedEpisode> {
  const made = { ...makeEpisode(number), ...over };
  const audioPath = join(folder, `${made.marker}-1.mp3`);
  await writeFile(audioPath, recordingAt(audioPath));
  return { ...made, audioPath };
}

const outcomes = async ({ studio }: PodopsTarget): Promise<string[]> => (await studio.history()).map(({ outcome }) => outcome);
const readOne = async ({ client }: PodopsTarget, id: string) => client.readResource({ params: { prod: PRODUCTION, kind: "episode", id } });

/** The draft as a farm leaves it that dies after the PUT which the gate let go. */
async function letGo(site: PodopsTarget, one: PreparedEpisode): Promise<EpisodeResource> {
  const shut = { gate: async () => ({ pass: false, why: "demo" }) };
  await runToEnd(assign(site), { episodes: [one], maxTries: 1, answers: shut });
  const draft = await readOne(site, one.marker);
  assert.ok(draft.kind === "episode" && draft.enclosure);
  const { title, summary } = draft.description;
  const waiting = await site.client.updateResource({
    params: { prod: PRODUCTION, kind: "episode", id: one.marker },
    body: { kind: "episode", description: { title, summary }, enclosure: { uri: draft.enclosure.guid } },
  });
  assert.equal(waiting.kind === "episode" && waiting.state, "waiting");
  return draft;
}

/** What a verb is given, without a browser: `meanwhile` happens right before its first change. */
async function askingBeside({ adminKey, origin }: PodopsTarget, meanwhile: () => Promise<unknown> = async () => null) {
  const made = await fetch(`${origin}/_a/token`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}` },
    body: JSON.stringify({ scope: "production:read resource:read resource:write" }),
  });
  const { token } = (await made.json()) as { token: string };
  const changes: string[] = [];
  const send = async (path: string, { method, headers, data }: { method: string; headers: Record<string, string>; data?: object }) => {
    if (method !== "GET" && changes.push(method) === 1) await meanwhile();
    const answer = await fetch(new URL(path, origin), { method, headers, ...(data && { body: JSON.stringify(data) }) });
    const text = await answer.text();
    return { status: () => answer.status, ok: () => answer.ok, url: () => answer.url, text: async () => text };
  };
  const page = { context: () => ({ cookies: async () => [{ name: "podops_token", value: token }] }), setContent: async () => undefined };
  return { asking: { origin, account: {}, request: { fetch: send }, page } as never, changes };
}

suite("podops", { concurrency: false }, () => {
  after(async () => {
    await closeBrowser();
    await rm(folder, { recursive: true, force: true });
  });

  test("each episode passes the gate once; a second run, by the session of the first, posts nothing and makes no token", async (t) => {
    const site = await given(t);
    const episodes = [await episode(1), await episode(2)];
    const first = await runToEnd(assign(site), { episodes });
    assert.deepEqual(first.result, { outcome: "done" });
    assert.deepEqual([first.heard.gates, first.heard.submits], [2, 1]);
    assert.deepEqual(await outcomes(site), ["published", "published"]);
    const links = first.heard.sent.map((sent) => (sent.kind === "proof" ? sent.copy.link : ""));
    for (const link of links) assert.equal((await fetch(link)).status, 200, link);
    const feed = await (await fetch(first.heard.feed)).text();
    assert.equal(feed.split("<item>").length - 1, 2);
    const again = await runToEnd(assign(site, undefined, { session: first.heard.session }), { episodes });
    assert.deepEqual(again.result, { outcome: "done" });
    assert.deepEqual([again.heard.gates, again.heard.submits], [0, 0]);
    assert.deepEqual(
      again.heard.looked.map(({ copies }) => copies[0]?.link),
      links,
    );
    assert.equal((await outcomes(site)).length, 2);
  });

  test("a draft whose gate was shut is brought out by nobody else's build, and is gone on with", async (t) => {
    const site = await given(t);
    const [stays, other] = [await episode(3), await episode(4)];
    const shut = { gate: async () => ({ pass: false, why: "demo" }) };
    const { heard } = await runToEnd(assign(site), { episodes: [stays], maxTries: 1, answers: shut });
    await runToEnd(assign(site), { episodes: [other] });
    const draft = await readOne(site, stays.marker);
    assert.equal(draft.kind === "episode" && draft.state, "draft");
    assert.deepEqual(await outcomes(site), ["published"]);
    const next = await runToEnd(assign(site), { episodes: [stays] });
    assert.deepEqual(next.result, { outcome: "done" });
    assert.deepEqual(next.heard.drafted, heard.drafted, "the same draft");
    assert.deepEqual(await outcomes(site), ["published", "published"]);
  });

  test("one that was let go and not built, as after a crash in between, is no copy, and comes out once", async (t) => {
    const site = await given(t);
    const one = await episode(5);
    await letGo(site, one);
    const { result, heard } = await runToEnd(assign(site), { episodes: [one] });
    assert.deepEqual(result, { outcome: "done" });
    assert.deepEqual(heard.looked[0]?.copies, []);
    assert.deepEqual(await outcomes(site), ["published"]);
  });

  test("one that was let go and not built, and is looked for and not posted, comes out with nobody else's build", async (t) => {
    const site = await given(t);
    const [canceled, other] = [await episode(13), await episode(14)];
    await letGo(site, canceled);
    const seen: unknown[] = [];
    const looked = async (_ref: unknown, { copies }: { copies: unknown }) => {
      seen.push(copies);
      return { go: false, why: "canceled" } as const;
    };
    await runToEnd(assign(site), { episodes: [canceled], maxTries: 1, answers: { looked } });
    assert.deepEqual(seen, [[]]);
    const { result } = await runToEnd(assign(site), { episodes: [other] });
    assert.deepEqual(result, { outcome: "done" });
    assert.deepEqual(
      (await site.studio.history()).map(({ title }) => title),
      [other.title],
    );
  });

  test("one that was let go and not built, and is built while it is looked for, is a copy", async (t) => {
    const site = await given(t);
    const one = await episode(15);
    const { metadata } = await letGo(site, one);
    const { asking } = await askingBeside(site, async () => site.client.build({ body: { guid: PRODUCTION } }));
    const copies = await podops.find?.(asking, one);
    assert.deepEqual(
      copies?.map(({ id }) => id),
      [metadata.guid],
    );
  });

  test("a left-over that was let go and not built is made a draft before it is taken away; one that a build has brought out stays", async (t) => {
    const site = await given(t);
    const [gone, out] = [await episode(16), await episode(17)];
    const left = await letGo(site, gone);
    const { asking, changes } = await askingBeside(site);
    await podops.discard?.(asking, gone, left.metadata.guid);
    assert.deepEqual(changes, ["PUT", "DELETE"]);
    await assert.rejects(readOne(site, gone.marker), /no such episode/);
    const { metadata } = await letGo(site, out);
    const late = await askingBeside(site, async () => site.client.build({ body: { guid: PRODUCTION } }));
    await podops.discard?.(late.asking, out, metadata.guid);
    const stays = await readOne(site, out.marker);
    assert.equal(stays.kind === "episode" && stays.state, "published");
  });

  test("where the production can't be built the episode is a draft again, which nobody's next build brings out", async (t) => {
    const site = await given(t);
    const one = await episode(11);
    const prod = PRODUCTION;
    await site.client.createResource({
      params: { prod, kind: "episode", id: "broken-one" },
      body: {
        kind: "episode",
        description: { title: "Broken" },
        enclosure: { uri: "http://127.0.0.1:1/gone.mp3", rel: "import", type: "audio/mpeg" },
      },
    });
    const { heard } = await runToEnd(assign(site), { episodes: [one] });
    assert.match(JSON.stringify(heard.sent), /^\[{"kind":"unknown".*content.refused/);
    await site.client.deleteResource({ params: { prod, kind: "episode", id: "broken-one" } });
    await runToEnd(assign(site), { episodes: [await episode(12)] });
    const there = await readOne(site, one.marker);
    assert.equal(there.kind === "episode" && there.state, "draft");
  });

  test("a left-over draft is taken away; what is out stays", async (t) => {
    const site = await given(t);
    const [out, draft] = [await episode(6), await episode(7)];
    const posted = await runToEnd(assign(site), { episodes: [out] });
    const shut = { gate: async () => ({ pass: false, why: "demo" }) };
    const left = await runToEnd(assign(site), { episodes: [draft], maxTries: 1, answers: shut });
    const leftOver = [
      { draftId: left.heard.drafted[0] ?? "", episode: draft },
      { draftId: posted.heard.drafted[0] ?? "", episode: out },
    ];
    await runToEnd(assign(site), { episodes: [], leftOver });
    await assert.rejects(readOne(site, draft.marker), /no such episode/);
    const stays = await readOne(site, out.marker);
    assert.equal(stays.kind === "episode" && stays.state, "published");
  });

  test("where a token sees several productions the account has to name one, and is told so", async (t) => {
    const site = await given(t);
    await site.client.createProduction({ body: { name: "another-show" } });
    const { result } = await runToEnd(assign(site), { episodes: [await episode(8)] });
    assert.equal(result.failure?.code, "account.incomplete");
    assert.match(result.failure?.detail ?? "", /sees 2 productions \(.*another-show.*name one as the account's username/);
    const named = await runToEnd(assign(site, { username: PRODUCTION, password: site.adminKey }), { episodes: [await episode(8)] });
    assert.deepEqual(named.result, { outcome: "done" });
    const unknown = await runToEnd(assign(site, { username: "no-such-show", password: site.adminKey }), { episodes: [await episode(8)] });
    assert.equal(unknown.result.failure?.code, "account.incomplete");
    assert.deepEqual(await outcomes(site), ["published"]);
  });

  test("a wrong key, and a token that has ended, are refused once; a studio that is down is no refusal", async (t) => {
    const site = await given(t);
    const wrong = await runToEnd(assign(site, { password: "pcs_demo-wrong-key" }), { episodes: [await episode(9)] });
    assert.deepEqual([wrong.result.failure?.code, wrong.heard.judged], ["account.refused", ["refused"]]);
    const ended = await runToEnd(assign(site, { apiToken: "demo.ended.token" }), { episodes: [await episode(9)] });
    assert.deepEqual([ended.result.failure?.code, ended.heard.judged], ["account.refused", ["refused"]]);
    await site.studio.close();
    const down = await runToEnd(assign(site), { episodes: [await episode(9)] });
    assert.equal(down.result.failure?.code, "site.unreachable");
    assert.deepEqual(down.heard.judged.includes("refused"), false);
  });

  test("a session whose token the studio does not know any more is begun anew, without a failure", async (t) => {
    const site = await given(t);
    const cookie = { name: "podops_token", value: "demo.old.token", domain: "127.0.0.1", path: "/" };
    const session = { cookies: [{ ...cookie, expires: -1, httpOnly: true, secure: false, sameSite: "Strict" }], origins: [] };
    const { result, heard } = await runToEnd(assign(site, undefined, { session }), { episodes: [await episode(10)] });
    assert.deepEqual(result, { outcome: "done" });
    assert.equal(heard.submits, 1);
    assert.deepEqual(await outcomes(site), ["published"]);
  });
});
