import assert from "node:assert/strict";
import { requestJson } from "../../src/kit/http.ts";
import { withOwner } from "./backlink-support.ts";

const byToken = [
  "/auth/me",
  "/auth/nothing",
  "/auth/%zz",
  "/backlink/groups",
  "/backlink/no/such/address/here",
  "/backlink/%zz",
  "/backlink/groups/%E0%A4%A",
  "/%62acklink/%zz",
  `/backlink/groups/${"x".repeat(300)}`,
];
const byKeyOrToken = [
  "/content",
  "/content/get-by-id/x",
  "/content/%zz",
  "/tags",
  "/tags/%zz",
  "/media",
  "/media/%zz",
  "/nothing",
  "/%zz",
  "/contents",
];
const byKey = ["/podcast/links", "/podcast/nothing", "/podcast/%zz", "/podcast/links/%zz/start"];

withOwner("[auth] who is not known gets 401 by the API's own rule, whatever the address", async ({ manager, apiKey, owner }) => {
  const ask = async (path: string, headers: Record<string, string>, method: "GET" | "POST" = "GET") => {
    const { status, body } = await requestJson(`${manager.url}/api/v1${path}`, { headers, method });
    const { code = "", success } = body as { code?: string; success?: boolean };
    return { status, code, success };
  };
  const bad = {
    key: { "x-api-key": "pck_wrong" },
    token: { authorization: "Bearer wrong" },
    basic: { authorization: "Basic b3duZXI6eA==" },
  };
  const refuses = async (path: string, headers: Record<string, string>, code: string) => {
    for (const method of ["GET", "POST"] as const)
      assert.deepEqual(
        await ask(path, headers, method),
        { status: 401, code, success: false },
        `${method} ${path} ${JSON.stringify(headers)}`,
      );
  };
  for (const path of byToken) {
    await refuses(path, {}, "NO_TOKEN");
    await refuses(path, bad.token, "invalid_token");
    await refuses(path, bad.basic, "NO_TOKEN");
    await refuses(path, { "x-api-key": apiKey }, "NO_TOKEN");
  }
  for (const path of byKeyOrToken) {
    await refuses(path, {}, "NO_API_KEY");
    await refuses(path, bad.key, "INVALID_API_KEY");
    await refuses(path, bad.token, "invalid_token");
    await refuses(path, { ...bad.key, authorization: `Bearer ${owner.token}` }, "INVALID_API_KEY");
  }
  for (const path of byKey) {
    await refuses(path, {}, "NO_API_KEY");
    await refuses(path, bad.key, "INVALID_API_KEY");
    await refuses(path, { authorization: `Bearer ${owner.token}` }, "NO_API_KEY");
  }
  const signedIn = { authorization: `Bearer ${owner.token}` };
  const absent = [...byToken.filter((path) => /nothing|%zz|such|%E0|xxx/.test(path)), "/content/%zz", "/nothing", "/%zz", "/contents"];
  for (const path of absent) assert.deepEqual(await ask(path, signedIn), { status: 404, code: "not_found", success: false }, path);
  for (const path of ["/podcast/nothing", "/podcast/%zz", "/nothing"])
    assert.equal((await ask(path, { "x-api-key": apiKey })).code, "not_found", path);
  for (const path of ["/auth/login", "/auth/refresh", "/auth/logout"]) assert.equal((await ask(path, {}, "POST")).status, 400, path);
});
