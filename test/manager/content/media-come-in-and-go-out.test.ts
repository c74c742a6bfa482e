import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { medium as mediumShape } from "../../../src/contract/content-api.ts";
import { createServer } from "../../../src/kit/server.ts";
import { serveRoutes } from "../../../src/manager/api/serve.ts";
import { mediaRoutes } from "../../../src/manager/content/media-routes.ts";
import type { ManagerTables } from "../../../src/manager/tables.ts";
import { silentLog } from "../../support/store.ts";
import { samples, wav } from "./media-samples.ts";
import { withContent } from "./support.ts";

const form = (bytes: Uint8Array<ArrayBuffer>, filename: string, field = "file"): FormData => {
  const body = new FormData();
  body.set("note", "a field before the file");
  body.set(field, new Blob([bytes], { type: "text/html" }), filename);
  return body;
};

withContent("[upload] [serve] what was uploaded is served as it was", async ({ api, keeper, mediaFolder }) => {
  const bytes = wav(2);
  const { status, body } = await api("POST", "/media", { body: form(bytes, "Bài hát (1).wav") });
  assert.equal(status, 201);
  assert.deepEqual(mediumShape.parse(body.media), body.media);
  const { id, ...rest } = body.media;
  const url = `${keeper.url}/api/v1/media/${id}/B%C3%A0i%20h%C3%A1t%20(1).wav`;
  assert.deepEqual(body, {
    success: true,
    media: { id, ...rest, url, filename: "Bài hát (1).wav", mime_type: "audio/wav", size_bytes: String(bytes.length), duration_sec: 2 },
  });
  const served = await fetch(url);
  assert.equal(served.status, 200);
  assert.deepEqual(new Uint8Array(await served.arrayBuffer()), bytes);
  const headers = Object.fromEntries(served.headers);
  assert.deepEqual(
    [headers["content-type"], headers["content-length"], headers["accept-ranges"], headers["x-content-type-options"]],
    ["audio/wav", String(bytes.length), "bytes", "nosniff"],
  );
  assert.equal(headers["content-disposition"], `inline; filename="B_i h_t (1).wav"; filename*=UTF-8''B%C3%A0i%20h%C3%A1t%20%281%29.wav`);
  assert.deepEqual(readdirSync(await mediaFolder()), [id]);

  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, String(bytes.length), ""]);
  const etag = headers["etag"] ?? "";
  assert.match(etag, /^"[^"]+"$/);
  for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
    const answer = await fetch(url, { headers: { "if-none-match": known } });
    assert.deepEqual([answer.status, await answer.text(), answer.headers.get("etag")], [304, "", etag], known);
  }
  assert.equal((await fetch(url, { headers: { "if-none-match": '"other"' } })).status, 200);
});

withContent("[range] parts are served, and what is no part is told", async ({ upload }) => {
  const bytes = new Uint8Array(
    Buffer.concat([Buffer.from(samples.mp3), Buffer.from(Array.from({ length: 900 }, (_, index) => index & 255))]),
  );
  const { url } = await upload(bytes, "a.mp3");
  const all = bytes.length;
  const etag = (await fetch(url, { method: "HEAD" })).headers.get("etag") ?? "";
  const parts: [string, number, number][] = [
    ["bytes=0-0", 0, 0],
    ["bytes=10-19", 10, 19],
    ["bytes=900-", 900, all - 1],
    ["bytes=-5", all - 5, all - 1],
    ["bytes=-99999", 0, all - 1],
    ["bytes=0-99999", 0, all - 1],
  ];
  for (const [range, from, to] of parts) {
    const answer = await fetch(url, { headers: { range, "if-range": etag } });
    const { headers } = answer;
    assert.deepEqual(
      [answer.status, headers.get("content-range"), headers.get("content-length")],
      [206, `bytes ${from}-${to}/${all}`, String(to - from + 1)],
      range,
    );
    assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), bytes.slice(from, to + 1), range);
  }
  for (const range of [`bytes=${all}-`, "bytes=-0", "bytes=99999-100000"]) {
    const answer = await fetch(url, { headers: { range } });
    assert.deepEqual([answer.status, answer.headers.get("content-range")], [416, `bytes */${all}`], range);
    await answer.arrayBuffer();
  }
  for (const range of ["bytes=5-2", "bytes=-", "bytes=0-1,4-5", "items=0-1", "x"]) {
    const answer = await fetch(url, { headers: { range } });
    assert.deepEqual([answer.status, (await answer.arrayBuffer()).byteLength], [200, all], range);
  }
  const changed = await fetch(url, { headers: { range: "bytes=0-1", "if-range": '"other"' } });
  assert.deepEqual([changed.status, (await changed.arrayBuffer()).byteLength], [200, all]);
});

withContent("[serve] anybody who knows the address gets the file; nobody else", async ({ upload, keeper, keeperDir, manager }) => {
  const { id, url } = await upload(samples.png, "a.png");
  assert.equal((await fetch(url, { headers: { authorization: "Bearer x", "x-api-key": "x" } })).status, 200);
  assert.equal((await fetch(`${keeper.url}/api/v1/media/${id.toUpperCase()}/a.png`)).status, 200);
  const prefix = `${keeper.url}/api/v1/media`;
  for (const address of [
    `${prefix}/${randomUUID()}/a.png`,
    `${prefix}/x/a.png`,
    `${prefix}/..%2f..%2fmanager.json/a`,
    `${manager.url}/api/v1/media/${id}/a.png`,
  ]) {
    const answer = await fetch(address);
    assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [404, "not_found"], address);
  }
  assert.ok(existsSync(join(keeperDir, "manager.json")));
});

withContent("[kinds] a file's kind is told by its content", async ({ api }) => {
  const kinds: [keyof typeof samples, string][] = [
    ["jpeg", "image/jpeg"],
    ["png", "image/png"],
    ["gif", "image/gif"],
    ["webp", "image/webp"],
    ["wav", "audio/wav"],
    ["mp3", "audio/mpeg"],
    ["taggedMp3", "audio/mpeg"],
    ["m4a", "audio/mp4"],
    ["soundAlone", "audio/mp4"],
    ["mp4", "video/mp4"],
  ];
  for (const [name, mime] of kinds) {
    const { status, body } = await api("POST", "/media", { body: form(samples[name], "page.html") });
    assert.deepEqual([status, body.media?.mime_type, body.media?.duration_sec], [201, mime, name === "wav" ? 2 : null], name);
    assert.equal((await fetch(body.media.url, { method: "HEAD" })).headers.get("content-type"), mime, name);
  }
});

withContent("[kinds] [upload] what is not kept leaves nothing behind", async ({ api, keeper, mediaFolder, owner }) => {
  for (const name of ["svg", "page", "heic", "none"] as const) {
    const { status, body } = await api("POST", "/media", { body: form(samples[name], "image.png") });
    assert.deepEqual([status, body.success, body.code], [422, false, "unprocessable"], name);
  }
  const empty = new FormData();
  empty.set("note", "no file");
  for (const body of [form(samples.png, "a.png", "picture"), empty, '{"file":"a"}']) {
    const answer = await api("POST", "/media", { body });
    assert.deepEqual([answer.status, answer.body.code], [400, "validation"]);
  }
  const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n';
  for (const [type, sent] of [
    ["multipart/form-data", `${head}x\r\n--b--\r\n`],
    ["multipart/form-data; boundary=b", head],
    ["multipart/form-data; boundary=b", `${head}cut off`],
    ["multipart/form-data; boundary=b", "nothing of the kind"],
  ] as const) {
    const answer = await fetch(`${keeper.url}/api/v1/media`, {
      method: "POST",
      headers: { ...owner.as, "content-type": type },
      body: sent,
    });
    assert.equal(answer.status, 400, sent);
  }
  assert.equal((await api("GET", "/media")).body.total, 0);
  assert.deepEqual(readdirSync(await mediaFolder()), []);
});

withContent("[upload] a name is what can stand at the end of an address", async ({ api, upload }) => {
  const names: [string, string][] = [
    ["../../etc/passwd", "passwd"],
    ["C:\\pictures\\a.png", "a.png"],
    ["..", "file.png"],
    ["a\tb?#%.png", "ab?#%.png"],
    [`${"đ".repeat(300)}.png`, `${"đ".repeat(146)}.png`],
  ];
  for (const [given, kept] of names) {
    const { filename, url } = await upload(samples.png, given);
    assert.equal(filename, kept);
    assert.equal(new URL(url).pathname.split("/").length, 6);
    assert.equal((await fetch(url)).status, 200, url);
  }
  const { body } = await api("POST", "/content", { body: form(samples.png, "a.png") });
  assert.equal(body.code, "malformed_json");
});

withContent("[upload] an upload that is cut off leaves nothing behind", async ({ owner, keeper, mediaFolder, api }) => {
  const boundary = "podcrew";
  const call = httpRequest(`${keeper.url}/api/v1/media`, {
    method: "POST",
    headers: { ...owner.as, "content-type": `multipart/form-data; boundary=${boundary}`, "content-length": 1_000_000 },
  });
  call.on("error", () => {});
  call.write(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n`);
  call.write(samples.png);
  const folder = await mediaFolder();
  const files = (): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  const until = async (right: () => boolean): Promise<void> => {
    while (!right()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await until(() => files().length === 1);
  call.destroy();
  await until(() => files().length === 0);
  assert.equal((await api("GET", "/media")).body.total, 0);
});

withContent("[too large] a file over the limit is refused and not kept", async ({ store, keeperDir, clock }, t) => {
  const db = store.part<ManagerTables>("manager");
  const folder = join(keeperDir, "small");
  const app = createServer({ log: silentLog });
  await app.register(async (scope) => {
    const identify = async () => ({ tenant: null, email: "key", reveals: false });
    serveRoutes(scope, {}, {}, { identify, onBroken: () => {} });
    await mediaRoutes(scope, { db, now: () => clock.now(), mediaUrl: () => "", folder, maxFileBytes: 200_000 });
  });
  t.after(async () => app.close());
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const send = async (bytes: number) => {
    const body = form(new Uint8Array(Buffer.concat([Buffer.from(samples.png), Buffer.alloc(bytes - samples.png.length)])), "a.png");
    const response = await fetch(`${url}/media`, { method: "POST", body });
    return { status: response.status, body: (await response.json()) as { code?: string; media?: { size_bytes: string } } };
  };
  const most = await send(200_000);
  assert.deepEqual([most.status, most.body.media?.size_bytes], [201, "200000"]);
  for (const bytes of [200_001, 3_000_000]) {
    const over = await send(bytes);
    assert.deepEqual([over.status, over.body.code], [413, "file_too_large"]);
  }
  assert.equal(readdirSync(folder).length, 1);
});

withContent("[no folder] a manager without a data folder keeps no media", async ({ manager, owner, nobody }) => {
  for (const headers of [owner.as, nobody]) {
    const answer = await fetch(`${manager.url}/api/v1/media`, { method: "POST", headers, body: form(samples.png, "a.png") });
    const body = (await answer.json()) as { code: string; message: string };
    assert.deepEqual([answer.status, body.code], [409, "conflict"]);
    assert.match(body.message, /this manager keeps no media/);
  }
});

withContent("[list media] by page and name, each owner's own", async ({ api, upload, clock, addUser, addKey, owner, nobody }) => {
  const media = [];
  for (const name of ["Alpha.png", "beta_1.png", "gamma.png"]) {
    media.unshift(await upload(samples.png, name));
    clock.forwardMinutes(1);
  }
  const stranger = await addUser("owner");
  const theirs = await upload(samples.png, "theirs.png", stranger.as);
  const list = async (query = "", as = owner.as) => (await api("GET", `/media${query}`, { as })).body;
  assert.deepEqual(await list(), { success: true, data: media, total: 3, page: 1, limit: 20 });
  assert.deepEqual(await list("?limit=2&page=2"), { success: true, data: [media[2]], total: 3, page: 2, limit: 2 });
  assert.deepEqual((await list("?search=ALPHA")).data, [media[2]]);
  assert.deepEqual((await list("?search=_")).data, [media[1]]);
  assert.deepEqual((await list("", stranger.as)).data, [theirs]);
  assert.equal((await list("", await addKey(["content:read"], owner.id))).total, 3);
  assert.equal((await list("", nobody)).total, 0);
  for (const query of ["?page=x", "?search=%00"]) assert.equal((await api("GET", `/media${query}`)).status, 400);
});

withContent(
  "[delete media] not while a variant uses it, and not another's",
  async ({ api, make, upload, addUser, nobody, mediaFolder, store }) => {
    const medium = await upload(samples.png, "a.png");
    const stranger = await addUser("owner");
    const content = await make({ variants: [{ content: "One", mediaIds: [medium.id] }] });
    const remove = async (id: string, as?: Readonly<Record<string, string>>) => {
      const { status, body } = await api("DELETE", `/media/${id}`, as && { as });
      return [status, body.code ?? body.success];
    };
    assert.deepEqual(await remove(medium.id), [409, "conflict"]);
    for (const [id, as] of [[medium.id, stranger.as], [medium.id, nobody], [randomUUID()], ["x"]] as const)
      assert.deepEqual(await remove(id, as), [404, "not_found"]);
    assert.equal((await fetch(medium.url)).status, 200);
    await api("DELETE", `/content/${content.id}`);
    assert.deepEqual(await remove(medium.id), [200, true]);
    assert.equal((await fetch(medium.url)).status, 404);
    assert.deepEqual(readdirSync(await mediaFolder()), []);
    const { rows } = await store.raw("select what from manager.audit where action = 'delete' order by id");
    assert.deepEqual(rows, [{ what: `content ${content.id}` }, { what: `medium ${medium.id}` }]);
  },
);

withContent("[delete media] [race] a medium is deleted or attached, never both", async ({ api, upload }) => {
  for (let round = 0; round < 5; round += 1) {
    const { id } = await upload(samples.png, "a.png");
    const json = { title: "T", variants: [{ content: "One", mediaIds: [id] }] };
    const [removed, made] = await Promise.all([api("DELETE", `/media/${id}`), api("POST", "/content", { json })]);
    assert.deepEqual([removed.status, made.status].join(), removed.status === 200 ? "200,422" : "409,201");
  }
});
