import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { startFarm } from "../../../../src/cli/chaos/farm-process.ts";
import { openWorld } from "../../../../src/cli/chaos/world.ts";
import { createClient } from "../../../../src/kit/api-client.ts";
import { copyEmptyDatabase, silentLog } from "../../../support/store.ts";
import { openRealSite } from "../real-site.ts";
import { site } from "./site.ts";

const WITHIN_MS = 240_000;
const POLL_MS = 500;
const closing: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closing.toReversed()) await close();
});

test("a blog20 order becomes a post on a real WordPress: title, text, and its narration", { timeout: 10 * 60_000 }, async (t) => {
  const world = await openWorld({ log: silentLog, makeDatabase: copyEmptyDatabase });
  closing.push(async () => world.close());
  const wordpress = await openRealSite(site);
  closing.push(async () => wordpress.close());
  const [email, password] = ["ann@example.com", randomBytes(12).toString("hex")];
  await world.manager.users.create({ email, password, role: "owner" });
  await world.manager.addCredits({ email, amount: 100 });
  const { accounts, requests, auth } = createClient({ url: world.manager.url, email, password });
  const { host } = new URL(wordpress.origin);
  const { username, password: secret } = wordpress.account;
  const made = await accounts.createGroup({
    body: { name: "Blogs", service_type: "blog20", accounts: [{ website: wordpress.origin, username, password: secret }] },
  });
  const group_id = "group" in made ? made.group.id : made.id;
  const body = {
    group_id,
    name: "Green tea",
    auction_price: 60,
    target: 1,
    data: { episodes: [{ title: "Three ways to brew", about: "<p>Cold, <strong>warm</strong> and hot.</p>" }] },
  };
  const { id } = await requests.createRequest({ params: { type: "blog20" }, body });
  await requests.startRequest({ params: { type: "blog20", id } });

  const farm = await startFarm({
    folder: await world.farmFolder(),
    managerUrl: world.manager.url,
    apiKey: world.apiKey,
    studioUrls: [],
    mediaDir: world.mediaDir,
    env: { CONCURRENCY: "1", STEP_SECONDS: "20", SETTLE_SECONDS: "22.5", SITES: `${host}=wordpress-request@${wordpress.origin}` },
  });
  closing.push(async () => farm.stop());
  const read = async () => requests.readRequest({ params: { type: "blog20", id } });
  for (const deadline = performance.now() + WITHIN_MS; (await read()).status === "running" && performance.now() < deadline;) {
    t.signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const ended = await read();
  assert.deepEqual(
    [ended.status, ended.result, ended.credits, (await auth.me()).credits],
    ["completed", "1 / 1", { held: 60, spent: 60 }, 40],
    farm.log(),
  );

  const { data } = await requests.listLinks({ params: { type: "blog20", id } });
  const [link] = data;
  assert.deepEqual([link?.service_type, link?.site_name, link?.status], ["blog20", host, "completed"]);
  const page = await (await fetch(link?.link_post ?? "")).text();
  for (const part of ["Three ways to brew", "<strong>warm</strong>", "<audio "]) assert.ok(page.includes(part), part);
  assert.deepEqual(
    await wordpress.sql("SELECT COUNT(*) FROM wp.wp_posts WHERE post_type = 'post' AND post_status = 'publish' AND post_name LIKE 'ep-%'"),
    ["1"],
  );
});
