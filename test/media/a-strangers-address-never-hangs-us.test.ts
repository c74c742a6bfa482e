import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Failure, type FailureCode } from "../../src/contract/failures.ts";
import { createAddressPolicy } from "../../src/kit/addresses.ts";
import { download } from "../../src/media/download.ts";
import { folder, never, site } from "./help.ts";

async function fetchFrom(
  t: TestContext,
  listener: RequestListener,
  change: { path?: string; deadlineMs?: number; maxBytes?: number; signal?: AbortSignal; allow?: string[] } = {},
) {
  const origin = await site(t, listener);
  const dir = await folder(t);
  const policy = createAddressPolicy(change.allow ?? [new URL(origin).host]);
  t.after(async () => policy.close());
  const toPath = join(dir, "file");
  const downloaded = download(`${origin}${change.path ?? "/cover.png?token=hush-hush"}`, {
    toPath,
    maxBytes: change.maxBytes ?? 1_000_000,
    deadlineMs: change.deadlineMs ?? 5000,
    policy,
    signal: change.signal ?? never,
    kind: "image",
  });
  return { downloaded, toPath, dir, host: new URL(origin).host };
}

async function fails({ downloaded, dir, host }: Awaited<ReturnType<typeof fetchFrom>>, code: FailureCode, why: RegExp): Promise<void> {
  await assert.rejects(downloaded, (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code);
    assert.match(error.detail, why);
    assert.ok(error.detail.includes(host.split(":")[0]!), error.detail);
    assert.doesNotMatch(error.message, /hush-hush/);
    return true;
  });
  assert.deepEqual(await readdir(dir), [], "nothing half-fetched stays");
}

test("a file arrives whole, under its final name only", async (t) => {
  const { downloaded, toPath, dir } = await fetchFrom(
    t,
    (_request, response) => void response.setHeader("content-type", "image/png; charset=x").end(Buffer.alloc(100_000, 1)),
  );
  assert.deepEqual(await downloaded, { bytes: 100_000, type: "image/png" });
  assert.equal(
    createHash("sha1")
      .update(await readFile(toPath))
      .digest("hex"),
    createHash("sha1").update(Buffer.alloc(100_000, 1)).digest("hex"),
  );
  assert.deepEqual(await readdir(dir), ["file"]);
});

test("404: said with the host", async (t) => {
  await fails(
    await fetchFrom(t, (_request, response) => void response.writeHead(404).end("no")),
    "content.unreachable",
    /^the image at 127\.0\.0\.1:\d+ answered 404 \(Not Found\)$/,
  );
});

test("a server that never answers, and one that stops in the middle, cost no more than the deadline", async (t) => {
  for (const listener of [() => undefined, ((_request, response) => void response.write("abc")) as RequestListener]) {
    const startedAt = performance.now();
    await fails(await fetchFrom(t, listener, { deadlineMs: 300 }), "content.unreachable", /did not arrive within 0\.3 s/);
    assert.ok(performance.now() - startedAt < 10_000);
  }
});

test("a page in place of an image is named as one", async (t) => {
  await fails(
    await fetchFrom(t, (_request, response) => void response.setHeader("content-type", "text/html").end("<h1>Sign in</h1>")),
    "content.unreachable",
    /answered a web page where an image was expected/,
  );
});

test("too large: refused by what is announced, and by what comes", async (t) => {
  await fails(
    await fetchFrom(t, (_request, response) => void response.setHeader("content-length", 5_000_000).end(Buffer.alloc(5_000_000))),
    "content.unreachable",
    /larger than 1 MB/,
  );
  await fails(
    await fetchFrom(t, (_request, response) => {
      response.write(Buffer.alloc(900_000));
      response.end(Buffer.alloc(900_000));
    }),
    "content.unreachable",
    /larger than 1 MB/,
  );
});

test("a body that is cut off is no file", async (t) => {
  await fails(
    await fetchFrom(t, (_request, response) => {
      response.setHeader("content-length", 5000).write("abc", () => response.socket?.destroy());
    }),
    "content.unreachable",
    /broke off/,
  );
});

test("redirects are followed, a loop is not", async (t) => {
  const good = await fetchFrom(
    t,
    (request, response) => void (request.url === "/end" ? response.end("ok") : response.writeHead(302, { location: "/end" }).end()),
  );
  assert.equal((await good.downloaded).bytes, 2);
  await fails(
    await fetchFrom(t, (_request, response) => void response.writeHead(302, { location: "/again?token=hush-hush" }).end()),
    "content.unreachable",
    /redirects more than 5 times/,
  );
});

test("a private address is not asked, nor reached by a redirect", async (t) => {
  let asked = 0;
  await fails(
    await fetchFrom(t, (_request, response) => void response.end(String((asked += 1))), { allow: [] }),
    "content.forbidden_address",
    /127\.0\.0\.1/,
  );
  assert.equal(asked, 0);
  await fails(
    await fetchFrom(t, (_request, response) => void response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" }).end()),
    "content.forbidden_address",
    /169\.254\.169\.254/,
  );
});

test("a cancel ends it at once, with the cancel's own reason", async (t) => {
  const reason = new Failure("task.canceled");
  const controller = new AbortController();
  const { downloaded, dir } = await fetchFrom(t, () => controller.abort(reason), { signal: controller.signal });
  await assert.rejects(downloaded, reason);
  assert.deepEqual(await readdir(dir), []);
});

test("an image may be pasted as a data: address", async (t) => {
  const toPath = join(await folder(t), "file");
  const policy = createAddressPolicy([]);
  t.after(async () => policy.close());
  const options = { toPath, maxBytes: 1000, deadlineMs: 1000, policy, signal: never, kind: "image" } as const;
  assert.deepEqual(await download(`data:image/png;base64,${Buffer.from("hello").toString("base64")}`, options), {
    bytes: 5,
    type: "image/png",
  });
  assert.equal(await readFile(toPath, "utf8"), "hello");
  await assert.rejects(download("data:nonsense", options), /data: address is broken/);
  await assert.rejects(download("ftp://example.com/x", options), /not an http:\/\/ or https:\/\/ address/);
});
