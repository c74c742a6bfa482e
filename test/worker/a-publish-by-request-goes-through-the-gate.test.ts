import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import type { APIRequestContext } from "playwright";
import { Gate, guardRequests } from "../../src/worker/gate.ts";

const publishRequest = { method: "POST", url: /\/episodes$/, body: /"status":"publish"/ } as const;
const origin = "https://studio.example.com";

/** A session whose requests go nowhere, and the gate of a publish that is going on. */
function given(): { request: APIRequestContext; gate: Gate; sent: { url: string; options: Record<string, unknown> }[] } {
  const sent: { url: string; options: Record<string, unknown> }[] = [];
  const answer = { status: () => 200, headers: () => ({}), text: async () => "" };
  const fake = { fetch: async (url: string, options: Record<string, unknown>) => (sent.push({ url, options }), answer) };
  const gate = new Gate({
    publishRequest,
    ask: async () => ({ pass: true, why: "" }),
    signal: new AbortController().signal,
    timeoutMs: 4000,
  });
  const request = guardRequests(
    fake as unknown as APIRequestContext,
    publishRequest,
    origin,
    () => gate,
    () => undefined,
  );
  return { request, gate, sent };
}

test("whatever time-out and retries a driver asks for, the request is sent once and ends before anybody looks", async () => {
  const { request, gate, sent } = given();
  await request.post("/episodes", { form: { status: "publish" }, timeout: 0, maxRetries: 3, maxRedirects: 5 });
  assert.deepEqual((await gate.close()).seen, 1);
  const { timeout, maxRetries, maxRedirects } = sent[0]?.options ?? {};
  assert.deepEqual({ timeout, maxRetries, maxRedirects }, { timeout: 4000, maxRetries: 0, maxRedirects: 0 });
});

test("a form that carries files is known by its fields; the files are not read for that", async () => {
  const { request, gate } = given();
  const file = (): ReturnType<typeof createReadStream> => createReadStream(fileURLToPath(import.meta.url));
  const buffer = { name: "a.mp3", mimeType: "audio/mpeg", buffer: Buffer.from('"status":"publish"') };
  const draft = file();
  await request.post("/episodes", { multipart: { status: "draft", media: draft, cover: buffer } });
  assert.equal((await gate.close()).seen, 0);
  const publish = file();
  await assert.rejects(request.post("/episodes", { multipart: { status: "publish", media: publish } }), /the gate is shut/);
  assert.equal((await gate.close()).seen, 1);
  assert.deepEqual([draft.bytesRead, publish.bytesRead], [0, 0]);
  draft.destroy();
  publish.destroy();
});
