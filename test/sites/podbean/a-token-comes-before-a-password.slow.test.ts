import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import type { Assignment, Credentials, PreparedEpisode } from "../../../src/contract/task.ts";
import { closeBrowser } from "../../../src/worker/entry.ts";
import { makeAssignment, makeEpisode, runToEnd } from "../../support/coordinator.ts";
import { wav } from "../../studio/support.ts";
import { openPostOffice } from "../twin/mail.ts";
import { openPodbean, type Podbean } from "./twin.ts";

const folder = await mkdtemp(join(tmpdir(), "podcrew-podbean-"));
const email = "maya@podcrew.example";
const password = "demo-password";

function assign(site: Podbean, account: Partial<Credentials>, over: Partial<Assignment> = {}): Assignment {
  const blank = { email: "", username: "", password: "", passMail: "", twofa: "", appPassword: "", cookie: "" };
  return makeAssignment({
    origin: site.origin,
    driverModule: new URL("../../../drivers/podbean.ts", import.meta.url).href,
    folder,
    site: "podbean",
    accountKey: "podbean:1",
    credentials: { ...blank, ...account },
    stepTimeoutMs: 10_000,
    ...over,
  });
}

async function episode(number: number): Promise<PreparedEpisode> {
  const made = makeEpisode(number);
  const audioPath = join(folder, `${made.marker}.mp3`);
  await writeFile(audioPath, wav(1));
  return { ...made, audioPath };
}

suite("podbean", { concurrency: false }, () => {
  after(async () => {
    await closeBrowser();
    await rm(folder, { recursive: true, force: true });
  });

  test("an account with a token and a password is posted to by the API; nobody signs in", async (t) => {
    const site = await openPodbean();
    t.after(site.close);
    site.add({ email, password });
    const account = { email, password, apiToken: site.token };
    const { result, heard } = await runToEnd(assign(site, account), { episodes: [await episode(1)] });
    assert.deepEqual(result, { outcome: "done" });
    assert.equal(heard.gates, 1);
    assert.equal(heard.feed, `${site.origin}/slow-mornings/feed.xml`);
    await runToEnd(assign(site, account), { episodes: [await episode(1)] });
    assert.equal(site.history().length, 1, "a second run posts nothing");
    assert.deepEqual(site.tries, []);
  });

  test("an account with neither is told what it lacks", async (t) => {
    const site = await openPodbean();
    t.after(site.close);
    const { result } = await runToEnd(assign(site, { email }), { episodes: [await episode(2)] });
    assert.equal(result.failure?.code, "account.incomplete");
    assert.match(result.failure?.detail ?? "", /apiToken is missing/);
  });

  for (const way of ["its token", "its password"])
    test(`by ${way} a left-over draft is taken away, and what is out stays`, async (t) => {
      const site = await openPodbean();
      t.after(site.close);
      site.add({ email, password });
      const account = way === "its token" ? { apiToken: site.token } : { email, password, apiToken: "" };
      const [stays, goes] = [await episode(3), await episode(4)];
      const posted = (await runToEnd(assign(site, account), { episodes: [stays] })).heard;
      const [proof] = posted.sent;
      const link = proof?.kind === "proof" ? proof.copy.link : "";
      const rehearsed = await runToEnd(assign(site, account, { mode: "rehearse" }), { episodes: [goes] });
      assert.equal(rehearsed.result.failure, undefined);
      assert.equal(site.drafts(), 0, "a rehearsal leaves nothing");
      const shut = { gate: async () => ({ pass: false, why: "demo" }) };
      const { heard } = await runToEnd(assign(site, account), { episodes: [goes], maxTries: 1, answers: shut });
      assert.equal(site.drafts(), 1);
      // The one that is out, too, as a ledger that was put back would ask for it.
      const leftOver = [
        { draftId: heard.drafted[0] ?? "", episode: goes },
        {
          draftId: account.apiToken ? (posted.drafted[0] ?? "") : `${site.origin}/episode/edit/${site.history()[0]?.episodeId}`,
          episode: stays,
        },
      ];
      const swept = await runToEnd(assign(site, account), { episodes: [], leftOver });
      assert.deepEqual(
        swept.heard.discarded,
        leftOver.map(({ draftId }) => draftId),
      );
      assert.equal(site.drafts(), 0);
      assert.equal((await fetch(link)).status, 200, "it is still there");
      assert.equal(site.history().length, 1, "only the one is out, once");
    });

  test("where the file's name is not kept, nothing is made public", async (t) => {
    const site = await openPodbean();
    t.after(site.close);
    site.behaviour.keepsFileName = false;
    const { result } = await runToEnd(assign(site, { apiToken: site.token }), { episodes: [await episode(5)] });
    assert.match(result.failure?.detail ?? "", /nothing tells the episode apart/);
    assert.deepEqual(site.history(), []);
  });

  test("a mailed code lets in whoever has no authenticator", async (t) => {
    const office = await openPostOffice();
    t.after(office.close);
    if (!office.imap) return t.skip("no mail server on this machine");
    const site = await openPodbean(office.mail);
    t.after(site.close);
    site.add({ email, password, mailedCode: true });
    const account = { email, password, appPassword: office.appPassword };
    const { result, heard } = await runToEnd(assign(site, account, { imap: office.imap }), { episodes: [await episode(6)] });
    assert.deepEqual(result, { outcome: "done" });
    assert.deepEqual(heard.judged, ["accepted"]);
    assert.equal(site.history().length, 1);
  });
});
