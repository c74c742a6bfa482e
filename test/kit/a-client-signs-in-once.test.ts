import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { ApiRefusal, ApiUnanswered, createClient, type ClientOptions } from "../../src/kit/api-client.ts";
import { freePorts } from "../support/podcrew.ts";

type Answer = { status?: number; json?: unknown; text?: string; headers?: Record<string, string> };

/** Answers as a manager does; tokens are numbers, and only those in `good` open something. */
async function given(t: TestContext, answer: (path: string, token: string) => Answer | null = () => null) {
  const heard: string[] = [];
  const good = new Set<string>();
  const refreshable = new Set<string>();
  let issued = 0;
  const pair = (): Answer => {
    const [token, refresh_token] = [`t${(issued += 1)}`, `r${issued}`];
    good.add(token);
    refreshable.add(refresh_token);
    const time = new Date().toISOString();
    return { json: { success: true, token, expires_at: time, refresh_token, refresh_expires_at: time } };
  };
  const refused = (code: string, status = 401): Answer => ({ status, json: { success: false, message: "No.", code } });
  const decide = (path: string, token: string, body: { refresh_token?: string }): Answer => {
    const own = answer(path, token);
    if (own) return own;
    if (path === "/api/v1/auth/login") return pair();
    if (path === "/api/v1/auth/refresh") return refreshable.delete(body.refresh_token ?? "") ? pair() : refused("invalid_token");
    if (!good.has(token)) return refused("token_expired");
    return {
      json: {
        success: true,
        user: { id: "7b0e7e0c-53b4-4a0c-8d5f-0f6f3a7d1c11", email: "a@example.com", role: "owner" },
        credits: 3,
        scope: "",
      },
    };
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const path = (request.url ?? "").split("?")[0] ?? "";
    heard.push(path.slice(path.lastIndexOf("/") + 1));
    const {
      status = 200,
      json,
      text: plain = "",
      headers = {},
    } = decide(path, (request.headers.authorization ?? "").slice(7), JSON.parse(text || "{}") as object);
    response.writeHead(status, { "content-type": json === undefined ? "text/html" : "application/json", ...headers });
    response.end(json === undefined ? plain : JSON.stringify(json));
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const client = (options: Partial<ClientOptions> = {}) =>
    createClient({ url, email: "a@example.com", password: "demo-password", ...options });
  return { heard, good, refreshable, client, url };
}

const times = (heard: string[], word: string): number => heard.filter((one) => one === word).length;

test("calls that come together sign in once; when the token has expired it is refreshed once, for all of them", async (t) => {
  const { heard, good, client } = await given(t);
  const { auth } = client();
  const many = async () => Promise.all(Array.from({ length: 20 }, async () => auth.me()));
  await many();
  assert.deepEqual([times(heard, "login"), times(heard, "refresh")], [1, 0]);
  for (let hour = 1; hour <= 3; hour += 1) {
    good.clear();
    await many();
    assert.deepEqual([times(heard, "login"), times(heard, "refresh")], [1, hour]);
  }
});

test("where the refresh token is refused too it signs in again, once", async (t) => {
  const { heard, good, refreshable, client } = await given(t);
  const { auth } = client();
  await auth.me();
  good.clear();
  refreshable.clear();
  await Promise.all(Array.from({ length: 10 }, async () => auth.me()));
  assert.deepEqual([times(heard, "login"), times(heard, "refresh")], [2, 1]);
});

test("a sign-in that is refused is tried again by the next call only, and a token that opens nothing is not renewed for ever", async (t) => {
  let status = 401;
  const { heard, client } = await given(t, (path) => {
    if (path.endsWith("/login") && status !== 200) return { status, json: { success: false, message: "No.", code: "wrong_login" } };
    return path.endsWith("/me") && status !== 200
      ? null
      : path.endsWith("/me")
        ? { status: 401, json: { message: "No.", code: "invalid_token" } }
        : null;
  });
  const { auth } = client();
  const refusals = await Promise.allSettled([auth.me(), auth.me(), auth.me()]);
  assert.ok(refusals.every((one) => one.status === "rejected" && one.reason instanceof ApiRefusal && one.reason.code === "wrong_login"));
  assert.equal(times(heard, "login"), 1);
  status = 200;
  await assert.rejects(auth.me(), (error) => error instanceof ApiRefusal && error.status === 401);
  assert.deepEqual([times(heard, "login"), times(heard, "refresh"), times(heard, "me")], [2, 1, 2]);
});

test("a manager that says later is asked later, and told of; one that says it for too long is refused", async (t) => {
  let [busy, after] = [2, "0"];
  const { heard, client } = await given(t, (path) =>
    path.endsWith("/me") && busy-- > 0
      ? { status: busy === 0 ? 503 : 429, json: { message: "Later.", code: "too_many" }, headers: { "retry-after": after } }
      : null,
  );
  const waits: number[] = [];
  const { auth } = client({ onWait: (ms) => waits.push(ms), patienceMs: 5000 });
  assert.equal((await auth.me()).credits, 3);
  assert.deepEqual([waits, times(heard, "me")], [[0, 0], 3]);
  [busy, after] = [1, "3600"];
  await assert.rejects(auth.me(), (error) => error instanceof ApiRefusal && error.status === 503 && error.retryAfterMs === 3_600_000);
  [busy, after] = [1000, "0"];
  await assert.rejects(auth.me(), (error) => error instanceof ApiRefusal && error.retryAfterMs === 0);
  assert.ok(times(heard, "me") < 12, "it does not go on for ever");
});

test("what is no answer of a manager's is told apart: nobody there, too late, not its own", async (t) => {
  let me: Answer = {};
  const { client } = await given(t, (path) => (path.endsWith("/me") ? me : null));
  const kindOf = async (options: Partial<ClientOptions> = {}) =>
    client(options)
      .auth.me()
      .then(
        () => "answered",
        (error: unknown) =>
          error instanceof ApiUnanswered ? error.kind : error instanceof ApiRefusal ? `${error.status} ${error.message}` : String(error),
      );
  me = { text: "<html>Welcome</html>" };
  assert.equal(await kindOf(), "unreadable");
  me = { text: "{broken", headers: { "content-type": "application/json" } };
  assert.equal(await kindOf(), "unreadable");
  me = { json: { success: true } };
  assert.equal(await kindOf(), "unreadable");
  me = { status: 502, text: "<html>Bad gateway</html>" };
  assert.equal(await kindOf(), "502 HTTP 502");
  const [port] = await freePorts(1);
  assert.equal(await kindOf({ url: `http://127.0.0.1:${port}` }), "unreachable");
  const never: typeof fetch = async (_address, init) =>
    new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error)));
  const silent: typeof fetch = async (address, init) =>
    address instanceof URL && address.pathname.endsWith("/me") ? never(address, init) : fetch(address, init);
  assert.equal(await kindOf({ fetch: silent, deadlineMs: 50 }), "late");
});

test("a manager below a path is asked there; one that sends its callers on gets them nowhere", async (t) => {
  const elsewhere = await given(t);
  let status = 200;
  const paths: string[] = [];
  const { url } = await given(t, (path) => {
    paths.push(path);
    if (status !== 200) return { status, text: "", headers: { location: `${elsewhere.url}/api/v1/auth/login` } };
    return { status: 404, json: { success: false, message: "No.", code: "not_found" } };
  });
  const { auth } = createClient({ url: `${url}/podcrew/`, email: "a@example.com", password: "demo-password" });
  await assert.rejects(auth.me(), (error) => error instanceof ApiRefusal && error.status === 404);
  assert.deepEqual(paths, ["/podcrew/api/v1/auth/login"]);
  for (status of [301, 302, 307, 308])
    await assert.rejects(
      auth.me(),
      (error) =>
        error instanceof ApiUnanswered && error.kind === "moved" && error.message.includes(`sends callers on to ${elsewhere.url}/`),
    );
  assert.deepEqual(elsewhere.heard, [], "the password went nowhere else");
});

test("an export may take longer than the deadline as long as something of it comes", async () => {
  const time = new Date().toISOString();
  const tokens = { success: true, token: "t", expires_at: time, refresh_token: "r", refresh_expires_at: time };
  let pieces = 4;
  const slow: typeof fetch = async (address, init) => {
    if (address instanceof URL && address.pathname.endsWith("/login")) return Response.json(tokens);
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => init?.signal?.addEventListener("abort", () => stream.error(init.signal?.reason)),
      async pull(stream) {
        if (pieces < 0) return;
        await new Promise((resolve) => setTimeout(resolve, 120));
        stream.enqueue(new TextEncoder().encode("é,\r\n"));
        if ((pieces -= 1) === 0) stream.close();
      },
    });
    return new Response(body, { headers: { "content-type": "text/csv" } });
  };
  const { accounts } = createClient({ url: "http://127.0.0.1:1", email: "a@example.com", password: "demo", deadlineMs: 300, fetch: slow });
  const sent = { params: { id: "7b0e7e0c-53b4-4a0c-8d5f-0f6f3a7d1c11" }, query: { format: "csv" } };
  assert.equal(await accounts.exportGroup(sent), "é,\r\n".repeat(4));
  pieces = -1;
  await assert.rejects(accounts.exportGroup(sent), (error) => error instanceof ApiUnanswered && error.kind === "late");
});
