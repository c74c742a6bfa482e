import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { TaskView } from "../../src/manager/task-list.ts";
import { dovecotMissing, givenDovecot, type Dovecot } from "../support/dovecot.ts";
import { wholePodcrew, type Whole, type WholeAccount } from "../support/whole.ts";

/** The studio is both: where the primary posts, and where the secondary imports. Its history of imports decides. */
const skip = dovecotMissing ?? false;

interface Pair {
  whole: Whole;
  mail: Dovecot;
  owner: WholeAccount;
  importer: WholeAccount;
  /** Both tasks of one request. @returns the secondary's id, and how the primary ended */
  request(title: string): Promise<{ primary: TaskView; secondary: string }>;
}

async function given(t: TestContext, { locked = false } = {}): Promise<Pair> {
  const mail = await givenDovecot(t);
  const whole = await wholePodcrew(t, { mail, settings: { settleSeconds: 3 } });
  const [owner, importer] = [await whole.account({ locked }), await whole.account()];
  return {
    whole,
    mail,
    owner,
    importer,
    async request(title) {
      const { manager, studio } = whole;
      const episodes = [{ title, about: "<p>A short text that is read aloud.</p>" }];
      const made = await manager.makeTask({ account: owner, website: studio.url, episodes, maxRetries: 0 });
      const { taskId: secondary } = await manager.makeImport({
        requestId: made.requestId,
        account: importer,
        website: studio.url,
        maxRetries: 0,
      });
      return { primary: await whole.reaches(made.taskId, ["completed"]), secondary };
    },
  };
}

test("what a primary has posted is imported once on the other account, with its episode, and reported", { skip }, async (t) => {
  const { whole, mail, owner, importer, request } = await given(t);
  const { primary, secondary } = await request("Cà phê sữa đá");
  const done = await whole.reaches(secondary, ["completed", "failed"]);

  const feed = primary.account.linkRss;
  const imports = await whole.studio.imports();
  assert.deepEqual(
    imports.map(({ outcome, account, feed: from }) => [outcome, account, from]),
    [["imported", importer.email, feed]],
  );
  assert.deepEqual([done.state, done.feed, done.linkPost, done.account.linkRss], ["completed", feed, imports[0]?.link, ""]);
  assert.deepEqual(JSON.parse(done.note), { [feed]: done.linkPost });
  assert.equal((await fetch(done.linkPost)).status, 200);
  const [asked, ...others] = (await mail.inbox(owner.email)).filter((letter) => /ownership code/.test(letter));
  assert.match(asked ?? "", new RegExp(`^To: ${owner.email}`, "m"));
  assert.deepEqual(others, [], "one code was asked for");
  const copied = await feedWith(whole, done.linkPost, /<title>Cà phê sữa đá<\/title>/);
  assert.match(copied, /<enclosure url="[^"]+" length="\d+" type="audio\/mpeg"/);

  await t.test("another request with the same feed finds it there and imports nothing", async () => {
    const again = await request("Trà đá vỉa hè");
    const found = await whole.reaches(again.secondary, ["completed", "failed"]);
    assert.deepEqual([found.state, found.linkPost], ["completed", done.linkPost]);
    assert.equal((await whole.studio.imports()).length, 1);
  });
});

test("a locked feed fails for good, with the site's own sentence", { skip }, async (t) => {
  const { whole, request } = await given(t, { locked: true });
  const { secondary } = await request("Behind a lock");
  const failed = await whole.reaches(secondary, ["completed", "failed"]);
  assert.deepEqual([failed.state, failed.failureCode], ["failed", "content.feed"]);
  assert.match(failed.errorMessage, /^Not imported\. The feed is locked\. Unlock it at the host where the show lives now/);
  assert.deepEqual(await whole.studio.imports(), []);
});

test("canceled right before the last button: nothing is imported, and nothing is reported", { skip }, async (t) => {
  const { whole, request } = await given(t);
  const canceled = Promise.withResolvers<string>();
  whole.farm.events.on("step", ({ taskId, step }) => {
    if (step === "wait for the ownership code") whole.manager.cancelTask(taskId).then(() => canceled.resolve(taskId), canceled.reject);
  });
  const ended = Promise.withResolvers<string>();
  const { secondary } = await request("Never mind");
  whole.farm.events.on("task", ({ taskId, state }) => taskId === secondary && state !== "running" && ended.resolve(state));
  assert.equal(await canceled.promise, secondary);
  assert.equal(await ended.promise, "canceled");
  assert.deepEqual(await whole.studio.imports(), []);
  const history = await whole.manager.history({ taskId: secondary });
  assert.deepEqual(
    history.filter(({ action }) => ["complete", "fail", "insert"].includes(action)),
    [],
  );
});

/** Waits until the show's feed has it. */
async function feedWith({ studio }: Whole, showLink: string, pattern: RegExp): Promise<string> {
  const url = `${studio.url}/feeds/${new URL(showLink).pathname.split("/").at(-1)}.xml`;
  const deadline = Date.now() + 30_000;
  for (;;) {
    const xml = await (await fetch(url)).text();
    if (pattern.test(xml)) return xml;
    assert.ok(Date.now() < deadline, `${url} has ${pattern} within 30 s: ${xml}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
