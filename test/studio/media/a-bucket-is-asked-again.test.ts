import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { loadConfig, UsageError } from "../../../src/kit/config.ts";
import { mediaAddress, type BucketAddress } from "../../../src/kit/media-address.ts";
import { openMediaStore } from "../../../src/studio/media/open.ts";
import { openS3Store } from "../../../src/studio/media/s3.ts";
import { silentLog } from "../../support/store.ts";
import { tempDir } from "../../support/temp.ts";
import { fileOf, listed } from "./support.ts";

interface Scripted {
  status: number;
  body?: string;
}

/** A store that answers as it is told, in this order, and the last for ever; null: the line goes dead. */
async function scripted(t: TestContext, answers: (Scripted | null)[]): Promise<{ address: BucketAddress; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    void text(request).then((body) => {
      seen.push(`${request.method} ${request.url} ${body.length}`);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (!answer) return void request.socket.destroy();
      response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => void server.close());
  const bound = server.address();
  const endpoint = `http://127.0.0.1:${typeof bound === "object" && bound ? bound.port : 0}`;
  return { address: { bucket: "podcasts", prefix: "a/", endpoint, region: "eu-1", style: "path" }, seen };
}

const key = { keyId: "id", secret: "secret" };

test("a busy or absent store is asked again with the whole file; a refusal is final and named", async (t) => {
  const busy = await scripted(t, [{ status: 503, body: "<Error><Code>SlowDown</Code></Error>" }, null, { status: 200 }]);
  const store = openS3Store(busy.address, key, await tempDir(t));
  t.after(async () => store.close());
  const file = await fileOf(t, Buffer.alloc(70_000, 1));
  await store.put(file);
  assert.deepEqual(
    busy.seen,
    Array.from({ length: 3 }, () => `PUT /podcasts/a/${file.name} 70000`),
  );

  const refusing = await scripted(t, [{ status: 403, body: "<Error><Code>AccessDenied</Code><Message>key id</Message></Error>" }]);
  const closed = openS3Store(refusing.address, key, await tempDir(t));
  t.after(async () => closed.close());
  await assert.rejects(closed.put(file), { message: "answered 403 AccessDenied" });
  assert.equal(refusing.seen.length, 1);
});

test("a bucket that lives in another region has nothing and takes nothing: its redirect is a refusal", async (t) => {
  for (const [status, code] of [
    [301, "PermanentRedirect"],
    [307, "TemporaryRedirect"],
    [304, ""],
  ] as const) {
    const { address, seen } = await scripted(t, [{ status, ...(code && { body: `<Error><Code>${code}</Code></Error>` }) }]);
    const folder = await tempDir(t);
    const store = openS3Store(address, key, folder);
    t.after(async () => store.close());
    const file = await fileOf(t, Buffer.alloc(100, 1));
    const refusal = { message: new RegExp(`^answered ${status}`) };
    await assert.rejects(store.put(file), refusal);
    await assert.rejects(store.head(file.name), refusal);
    await assert.rejects(store.read(file.name), refusal);
    await assert.rejects(store.remove(file.name), refusal);
    await assert.rejects(listed(store), refusal);
    assert.match((await store.check()) ?? "", new RegExp(`answered ${status}`));
    assert.equal(seen.length, 6, "each is asked once");
    const opened = openMediaStore({ address: { kind: "s3", ...address }, ...key, folder, scratchDir: folder, log: silentLog });
    await assert.rejects(opened, (error) => error instanceof UsageError && /Check the bucket, its region/.test(error.message));
  }
});

test("a hundred listeners who take their time leave the store to everybody else", { timeout: 20_000 }, async (t) => {
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-length": 10, "last-modified": new Date().toUTCString() });
    if (request.method === "HEAD") response.end();
    else response.write("half");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.closeAllConnections());
  t.after(() => void server.close());
  const bound = server.address();
  const endpoint = `http://127.0.0.1:${typeof bound === "object" && bound ? bound.port : 0}`;
  const store = openS3Store({ bucket: "podcasts", prefix: "", endpoint, region: "eu-1", style: "path" }, key, await tempDir(t));
  const streams = await Promise.all(Array.from({ length: 100 }, async () => store.read("a.mp3")));
  for (const stream of streams) stream?.on("error", () => undefined);
  assert.equal((await store.head("a.mp3"))?.bytes, 10);
  await store.close();
});

test("a list goes on over all its pages", async (t) => {
  const page = (names: string[], next: string): Scripted => {
    const files = names.map(
      (name) => `<Contents><Key>a/${name}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><Size>7</Size></Contents>`,
    );
    return {
      status: 200,
      body: `<ListBucketResult>${files.join("")}${next && `<NextContinuationToken>${next}</NextContinuationToken>`}</ListBucketResult>`,
    };
  };
  const { address, seen } = await scripted(t, [page(["1.mp3", "2&amp;.mp3"], "more&amp;more"), page(["3.mp3"], "")]);
  const store = openS3Store(address, key, await tempDir(t));
  t.after(async () => store.close());
  assert.deepEqual(
    (await listed(store)).map(({ name, bytes, changedAt }) => [name, bytes, changedAt.toISOString()]),
    ["1.mp3", "2&.mp3", "3.mp3"].map((name) => [name, 7, "2026-01-02T03:04:05.000Z"]),
  );
  assert.match(seen[1] ?? "", /continuation-token=more%26more/);
});

test("a bucket without a key, or one that refuses it, is one sentence at the start; one that is away is waited for", async (t) => {
  const folder = await tempDir(t);
  const open = async (address: BucketAddress, keyId?: string) =>
    openMediaStore({ address: { kind: "s3", ...address }, keyId, secret: "secret", folder, scratchDir: folder, log: silentLog });
  const refusing = await scripted(t, [{ status: 403, body: "<Error><Code>SignatureDoesNotMatch</Code></Error>" }]);
  await assert.rejects(open(refusing.address), (error) => error instanceof UsageError && /MEDIA_STORE_KEY_ID/.test(error.message));
  await assert.rejects(
    open(refusing.address, "id"),
    (error) => error instanceof UsageError && /403 SignatureDoesNotMatch/.test(error.message),
  );
  const busy = await scripted(t, [{ status: 503 }]);
  const store = await open(busy.address, "id");
  t.after(async () => store.close());
  assert.match((await store.check()) ?? "", /answered 503/);
});

test("MEDIA_STORE is read as a person writes it, and refused with what is wrong", async (t) => {
  const cwd = await tempDir(t);
  assert.deepEqual((await loadConfig({}, {}, cwd)).mediaStore, { kind: "disk" });
  assert.deepEqual(mediaAddress.parse("s3://podcasts/shows/media/?endpoint=https://s3.example.com:9000&region=eu-1"), {
    kind: "s3",
    bucket: "podcasts",
    prefix: "shows/media/",
    endpoint: "https://s3.example.com:9000",
    region: "eu-1",
    style: "path",
  });
  assert.deepEqual(mediaAddress.parse("s3://podcasts?region=eu-central-1"), {
    kind: "s3",
    bucket: "podcasts",
    prefix: "",
    endpoint: "https://s3.eu-central-1.amazonaws.com",
    region: "eu-central-1",
    style: "host",
  });
  for (const [given, wrong] of [
    ["nfs://podcasts", /neither disk nor an s3:\/\/ address/],
    ["s3://id:hunter2hunter2@podcasts", /set MEDIA_STORE_KEY_ID/],
    ["s3://podcasts?colour=red", /"colour" is unknown/],
    ["s3://podcasts?endpoint=ftp://x", /the endpoint is not the origin/],
    ["s3://podcasts?style=wild", /the style is path or host/],
    ["s3://Po", /the bucket's name/],
  ] as const)
    await assert.rejects(loadConfig({}, { MEDIA_STORE: given }, cwd), wrong, given);
});
