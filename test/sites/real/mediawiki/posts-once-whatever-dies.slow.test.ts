import assert from "node:assert/strict";
import { test } from "node:test";
import type { CrashPoint } from "../../../../src/kit/crashpoint.ts";
import { givenCrew } from "./crew.ts";

/** The click from its beginning to its end: before anything left, on its way, answered, proven but not written down. */
const kills: readonly CrashPoint[] = ["request-held", "bytes-sent", "reply-headers", "reply-parsed", "proof-heard"];
const DIES_WITHIN_MS = 60_000;

test("killed at the publish click, each episode is one page with one revision in the wiki's own history", async (t) => {
  const { wiki, start, ask, ended } = await givenCrew(t);
  const maya = await wiki.member("Maya");
  const titles: string[] = [];
  for (const point of kills) {
    const title = `Killed at ${point}`;
    titles.push(title);
    const taskId = await ask(maya, title);
    const dying = await start({ PODCREW_CRASHPOINT: point });
    assert.equal(await dying.ended(DIES_WITHIN_MS), "SIGKILL", point);
    const farm = await start();
    const task = await ended(taskId);
    assert.equal(task.state, "completed", `${point}: ${task.errorMessage}`);
    assert.equal(task.linkPost, `${wiki.origin}/index.php/${title.replaceAll(" ", "_")}`);
    await farm.stop();
  }
  assert.deepEqual(
    await wiki.newPages(),
    titles.map((title) => ({ title, user: "Maya", revisions: 1 })),
  );
});
