import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import byRequest from "../../../drivers/ghost-request.ts";
import byPage from "../../../drivers/ghost.ts";
import { makeBenchEpisode } from "../../../src/driver/bench-files.ts";
import { enter, launch } from "../../../src/driver/bench-visit.ts";
import { driverBench, type BenchTarget, type Driver } from "../../../src/driver/index.ts";
import { ghostMissing, openGhost, type Ghost } from "./ghost.ts";

/** One for all: it takes its minute to come up. */
let opened: Promise<Ghost> | null = null;
const ghost = async (): Promise<Ghost> => (opened ??= openGhost());
after(async () => (await opened)?.close());

async function target(): Promise<BenchTarget> {
  const { origin, account, imap, published } = await ghost();
  return {
    origin,
    account,
    imap,
    history: async () => (await published()).length,
    shown: { title: "h1", about: ".gh-content" },
    refusals: { "account.refused": { account: { password: "demo-password-of-last-year" } } },
    close: async () => undefined,
  };
}

if (ghostMissing) test("the drivers for Ghost keep their promises", { skip: ghostMissing }, () => undefined);
else {
  for (const driver of [byPage, byRequest]) driverBench(driver, { target });

  test("a post that is published twice by its id is one post", async (t) => {
    const { origin, account, imap, published } = await ghost();
    const folder = await mkdtemp(join(tmpdir(), "podcrew-ghost-episode-"));
    t.after(async () => rm(folder, { recursive: true, force: true }));
    const browser = await launch();
    t.after(async () => browser.close());
    const driver = byRequest as unknown as Driver;
    const { site, signIn } = await enter(driver, { origin, account, imap }, await browser.newContext({ baseURL: origin, locale: "en-US" }));
    await signIn();
    const episode = await makeBenchEpisode(driver, folder);
    const before = await published();
    const id = (await driver.draft(site, episode, null)) ?? null;
    const first = await driver.publish(site, episode, id);
    assert.deepEqual(await driver.publish(site, episode, id), first);
    assert.deepEqual(await driver.find?.(site, episode), [first]);
    assert.equal((await published()).length, before.length + 1);
  });
}
