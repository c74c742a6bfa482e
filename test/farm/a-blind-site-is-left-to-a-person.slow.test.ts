import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { test } from "node:test";
import { givenTier, type Tier } from "../support/tiers.ts";

/** The kept files by what they show: "before-the-click.jpg". */
async function evidence(paths: readonly string[]): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const path of paths) {
    assert.equal((await stat(path)).mode & 0o777, 0o600, path);
    files.set(/[^/]+\/\d\d-(.+)$/.exec(path)?.[1] ?? basename(path), await readFile(path));
  }
  return files;
}

async function onBlindStudio(t: Parameters<typeof givenTier>[0]): Promise<Tier> {
  return givenTier(t, { tier: "blind" }, "studio-blind", /^POST \/shows\/([^/]+)\/episodes$/);
}

test("a blind site's unknown outcome waits for a person, with pictures from before and after, what was asked, and the feed", async (t) => {
  const tier = await onBlindStudio(t);
  const [lost, cut] = [await tier.ask("lost", "It did come out"), await tier.ask("cut", "It never came out")];
  const [there, notThere] = [await tier.waitsForPerson(lost), await tier.waitsForPerson(cut)];

  for (const { evidence: paths, title } of [there, notThere]) {
    const files = await evidence(paths);
    const names = [...files.keys()];
    assert.equal(files.get("before-the-click.jpg")?.toString("hex", 0, 3), "ffd8ff", names.join(" "));
    const after = names.find((name) => /^after-the-click[^/]*\/screenshot\.png$/.test(name)) ?? "";
    assert.equal(files.get(after)?.toString("latin1", 1, 4), "PNG", names.join(" "));
    assert.match(String(files.get(after.replace(/screenshot\.png$/, "page.aria.yml"))), /The studio did not answer/);
    assert.match(String(files.get("look.json")), new RegExp(title));
    // The feed is the one place where a person sees at once whether it is out.
    assert.equal(String(files.get("feed.xml")).includes(title), title === "It did come out", "the feed tells them apart");
  }

  const [link = ""] = await tier.links("It did come out");
  await tier.resolve({ task: lost, episode: there.episodeId ?? "", posted: link });
  await tier.resolve({ task: cut, episode: notThere.episodeId ?? "", absent: true });
  assert.equal((await tier.completed(lost)).linkPost, link);
  const again = await tier.completed(cut);
  assert.deepEqual(await tier.history("It did come out"), ["published"]);
  assert.deepEqual(await tier.history("It never came out"), ["published"]);
  assert.deepEqual([again.linkPost], await tier.links("It never came out"));
});
