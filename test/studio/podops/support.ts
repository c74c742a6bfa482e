import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { podopsScopes, type PodopsScope } from "../../../src/contract/podops-api.ts";
import type { Clock } from "../../../src/kit/clock.ts";
import type { StudioConfig } from "../../../src/studio/context.ts";
import type { Edges } from "../../../src/studio/edges.ts";
import type { Studio } from "../../../src/studio/studio.ts";
import { eachBackend, givenPglite, type Given } from "../../support/store.ts";
import { email, givenStudio, password, until, wav } from "../support.ts";

export interface Answer {
  status: number;
  headers: Headers;
  // Tests say themselves what they expect to be there.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
  text: string;
}

export interface Call {
  /** Absent: the scene's, which may do everything; "": none. */
  token?: string;
  json?: unknown;
  body?: string | FormData;
  headers?: Record<string, string>;
}

/** A studio with an account, and somebody who calls its API. */
export interface PodopsScene {
  studio: Studio;
  given: Given;
  adminKey: string;
  /** With all scopes, for the account. */
  token: string;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  makeToken(scopes: readonly PodopsScope[], more?: { subject?: string; expires_in?: number }): Promise<string>;
  upload(production: string, name: string, bytes: Uint8Array<ArrayBuffer>, call?: Call): Promise<Answer>;
  /** A production with its show. @returns its GUID */
  production(name: string): Promise<string>;
  /** An episode with a recording of its own, made and not built. @returns its GUID */
  episode(
    production: string,
    name: string,
    fields?: { title?: string; summary?: string; date?: string | number; labels?: Record<string, string> },
  ): Promise<string>;
  build(production: string): Promise<Answer>;
  feed(production: string): Promise<string>;
}

interface Options {
  clock?: Clock;
  config?: Partial<StudioConfig>;
  edges?: Partial<Edges>;
}

/** A test with a studio of its own, on PGlite. */
export function withPodops(name: string, run: (scene: PodopsScene, t: TestContext) => Promise<void>, options: Options = {}): void {
  test(name, async (t) => run(await openScene(t, await givenPglite(t), options), t));
}

/** The same on each backend: where the database decides. */
export function withBackends(name: string, run: (scene: PodopsScene, t: TestContext) => Promise<void>, options: Options = {}): void {
  eachBackend(name, async (t, given) => run(await openScene(t, given, options), t));
}

export async function openScene(t: TestContext, given: Given, options: Options = {}): Promise<PodopsScene> {
  const studio = await givenStudio(t, given, options);
  await studio.accounts.create({ email, password, secondFactor: "none", name: "Maya" });
  return callOn(studio, given);
}

export async function callOn(studio: Studio, given: Given): Promise<PodopsScene> {
  const { adminKey } = JSON.parse(await readFile(join(given.dataDir, "studio.json"), "utf8")) as { adminKey: string };
  let token = "";
  const call: PodopsScene["call"] = async (method, path, { token: own = token, json, body, headers = {} } = {}) => {
    const response = await fetch(new URL(path, studio.url), {
      method,
      headers: { accept: "application/json", ...(own && { authorization: `Bearer ${own}` }), ...headers },
      redirect: "manual",
      signal: AbortSignal.timeout(60_000),
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json");
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  };
  const makeToken: PodopsScene["makeToken"] = async (scopes, more = {}) => {
    const { status, body, text } = await call("POST", "/_a/token", { token: adminKey, json: { scope: scopes.join(" "), ...more } });
    assert.equal(status, 201, text);
    return String(body.token);
  };
  token = await makeToken(podopsScopes);
  const upload: PodopsScene["upload"] = async (production, name, bytes, more = {}) => {
    const form = new FormData();
    form.set("asset", new Blob([bytes]), name);
    return call("POST", `/a/v1/upload/${production}`, { ...more, body: form });
  };
  const build: PodopsScene["build"] = async (guid) => call("POST", "/a/v1/build", { json: { guid } });
  return {
    studio,
    given,
    adminKey,
    token,
    call,
    makeToken,
    upload,
    async production(name) {
      const made = await call("POST", "/a/v1/production", { json: { name, title: "Slow Mornings" } });
      assert.equal(made.status, 201, made.text);
      const json = { apiVersion: "v1", kind: "show", metadata: { name }, description: { title: "Slow Mornings", summary: "Unhurried." } };
      const show = await call("POST", `/a/v1/resource/${name}/show/${name}`, { json });
      assert.equal(show.status, 201, show.text);
      return String(made.body.guid);
    },
    async episode(production, name, { title = "A cup of tea", summary = "On tea.", date, labels = {} } = {}) {
      const file = `${name}.wav`;
      const uploaded = await upload(production, file, wav(2));
      assert.equal(uploaded.status, 201, uploaded.text);
      const metadata = { name, labels, ...(date !== undefined && { date }) };
      const json = { apiVersion: "v1", kind: "episode", metadata, description: { title, summary }, enclosure: { uri: file } };
      const made = await call("POST", `/a/v1/resource/${production}/episode/${name}`, { json });
      assert.equal(made.status, 201, made.text);
      return String(made.body.metadata.guid);
    },
    build,
    async feed(production) {
      const answer = await fetch(`${studio.url}/feeds/${production}.xml`);
      assert.equal(answer.status, 200);
      return answer.text();
    },
  };
}

/** Another host, with files that somebody imports. */
export async function otherHost(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; host: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  return { url: `http://${host}`, host };
}

/** Waits until nothing of a resource is on its way any more. */
export async function settled({ call }: PodopsScene, path: string): Promise<Answer["body"]> {
  return until(`${path} is settled`, async () => {
    const { body } = await call("GET", path);
    const files = [body.image, body.enclosure].filter(Boolean) as { state: string }[];
    return files.every(({ state }) => state === "ready" || state === "failed") && body;
  });
}
