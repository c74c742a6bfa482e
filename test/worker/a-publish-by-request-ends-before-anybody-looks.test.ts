import assert from "node:assert/strict";
import { test } from "node:test";
import type { APIRequestContext } from "playwright";
import { Gate, guardRequests } from "../../src/worker/gate.ts";

test("whatever time-out and retries a driver asks for, its publish by request is sent once and ends within the step's deadline", async () => {
  const sent: Record<string, unknown>[] = [];
  const answer = { status: () => 200, headers: () => ({}), text: async () => "" };
  const session = { fetch: async (_url: string, options: Record<string, unknown>) => (sent.push(options), answer) };
  const publishRequest = { method: "POST", url: /\/episodes$/, body: /"status":"publish"/ } as const;
  const gate = new Gate({
    publishRequest,
    ask: async () => ({ pass: true, why: "" }),
    signal: new AbortController().signal,
    timeoutMs: 4000,
  });
  const context = session as unknown as APIRequestContext;
  const request = guardRequests(
    context,
    publishRequest,
    "https://studio.example.com",
    () => gate,
    () => undefined,
  );
  await request.post("/episodes", { form: { status: "publish" }, timeout: 0, maxRetries: 3, maxRedirects: 5 });
  assert.equal((await gate.close()).seen, 1);
  const { timeout, maxRetries, maxRedirects } = sent[0] ?? {};
  assert.deepEqual({ timeout, maxRetries, maxRedirects }, { timeout: 4000, maxRetries: 0, maxRedirects: 0 });
});
