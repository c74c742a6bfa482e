import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { after, before, test, type TestContext } from "node:test";
import sharp from "sharp";
import { wholePodcrew, type Whole } from "../support/whole.ts";

/** Whatever an operator puts into a task, it ends: posted with a listed fix, or failed with a sentence that says what to do. */
let pictures: Server;
let base = "";

before(async () => {
  const tiny = await sharp({ create: { width: 1, height: 1, channels: 3, background: "#c8442f" } })
    .png()
    .toBuffer();
  const wide = await sharp({ create: { width: 6000, height: 100, channels: 3, background: "#0f766e" } })
    .jpeg()
    .toBuffer();
  pictures = createServer((request, response) => {
    const path = request.url ?? "/";
    if (path === "/tiny.png") return response.setHeader("content-type", "image/png").end(tiny);
    if (path === "/wide.jpg") return response.setHeader("content-type", "image/jpeg").end(wide);
    if (path === "/empty.png") return response.setHeader("content-type", "image/png").end();
    // Neither an answer nor an end.
    if (path === "/hangs.png") return undefined;
    return response.writeHead(404).end();
  });
  pictures.listen(0, "127.0.0.1");
  await once(pictures, "listening");
  base = `http://127.0.0.1:${(pictures.address() as { port: number }).port}`;
});
after(() => {
  pictures.closeAllConnections();
  pictures.close();
});

async function start(t: TestContext): Promise<Whole> {
  return wholePodcrew(t, { allowPrivate: [new URL(base).host] });
}

test("pictures of 1×1 and 6000×100, a title of 1,000 characters and an HTML text with scripts are fixed and posted", async (t) => {
  const { post, studio } = await start(t);
  const title = `Rất dài ${"dài ".repeat(248)}`.slice(0, 1000);
  const about = `<script>document.title = "owned"</script><p onclick="steal()">Hello <b>world</b>.</p><iframe src="https://example.com"></iframe><p><a href="javascript:alert(1)">a link</a></p>`;
  const task = await post([
    { title: "One pixel", image_url: `${base}/tiny.png` },
    { title: "A ribbon", image_url: `${base}/wide.jpg` },
    { title, about },
  ]);
  assert.equal(task.status, "completed", task.errorMessage);

  const feed = await (await fetch(task.account.linkRss)).text();
  assert.equal(feed.match(/<item>/g)?.length, 3);
  assert.doesNotMatch(feed, /<script|onclick|javascript:|<iframe/i);
  assert.match(feed, /Hello/);
  const titles = (await studio.history()).map((entry) => entry.title);
  assert.ok(
    titles.every((one) => one.length <= 200),
    "the site's limit of 200 characters is kept",
  );
  assert.ok(titles.some((one) => one.startsWith("Rất dài dài") && one.endsWith("…")));
});

const refusals = [
  { name: "an empty picture", image: "/empty.png", says: /image|picture/i },
  { name: "a picture that is not there", image: "/missing.png", says: /404/ },
  { name: "a picture that never comes", image: "/hangs.png", says: /can't be fetched|did not|too long|time/i },
] as const;

test("a picture that can't be had fails its episode with a sentence, and the others are posted", async (t) => {
  const { post, studio } = await start(t);
  const tasks = await Promise.all(
    refusals.map(async ({ name, image }) => post([{ title: `Good before ${name}` }, { title: name, image_url: `${base}${image}` }])),
  );
  for (const [index, task] of tasks.entries()) {
    const { name, says } = refusals[index] ?? assert.fail();
    assert.notEqual(task.status, "completed", name);
    assert.match(task.errorMessage, /1\/2/, `${name}: says how many were posted`);
    assert.match(task.errorMessage, says, name);
    assert.match(task.errorMessage, /Give it|Check|Use/, `${name}: says what to do`);
  }
  const posted = (await studio.history()).map((entry) => entry.title).sort();
  assert.deepEqual(posted, refusals.map(({ name }) => `Good before ${name}`).sort());
});
