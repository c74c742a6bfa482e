import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import type { z } from "zod";
import type { ApiRoute, Given } from "../../src/contract/api-route.ts";
import { authRoutes, type Role } from "../../src/contract/auth-api.ts";
import { accountRoutes, requestRoutes } from "../../src/contract/backlink-api.ts";
import { withManager, type Scene } from "./support.ts";

const backlinkRoutes = { ...accountRoutes, ...requestRoutes };
type Routes = typeof backlinkRoutes;

/** Somebody who is signed in. */
export interface SignedIn {
  id: string;
  email: string;
  password: string;
  /** A token without any scope. */
  token: string;
}

export interface ApiAnswer {
  status: number;
  /** Parsed JSON, or the text where it is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- what comes is what the tests are about
  body: any;
  text: string;
  headers: Headers;
}

export interface ApiOptions {
  json?: unknown;
  /** Sent as it is. */
  body?: string;
  /** Absent: the owner's; null: none. */
  token?: string | null;
  query?: Record<string, string | number | boolean | undefined>;
}

export interface OwnerScene extends Scene {
  /** Signed in, and owns nothing yet. */
  owner: SignedIn;
  /**
   * A call of the Backlink API; the path starts after `/api/v1/backlink`. An answer that is no refusal has to be what the route's
   * schema says, with no field besides.
   */
  api(method: string, path: string, options?: ApiOptions): Promise<ApiAnswer>;
  /** The same by the route's name; anything but the route's status fails the test. */
  ask<Name extends keyof Routes>(
    name: Name,
    given?: ApiOptions & { params?: Given<Routes[Name]>["params"] },
  ): Promise<z.output<Routes[Name]["answer"]>>;
  /** @returns a token */
  login(email: string, password: string, scope?: string): Promise<string>;
  /** An owner is somebody else's; an operator or a viewer works for `owner`. Ten can sign in a minute of the scene's clock. */
  addUser(role: Role): Promise<SignedIn>;
}

/** As `withManager`, with an owner who is signed in. */
export function withOwner(name: string, run: (scene: OwnerScene, t: TestContext) => Promise<void>): void {
  withManager(name, async (scene, t) => run(await openOwnerScene(scene), t));
}

async function openOwnerScene(scene: Scene): Promise<OwnerScene> {
  const { manager } = scene;
  const prefix = `${manager.url}/api/v1`;

  const login: OwnerScene["login"] = async (email, password, scope) => {
    const answer = await send("POST", `${prefix}/auth/login`, { json: { email, password, ...(scope !== undefined && { scope }) } });
    assert.equal(answer.status, 200, answer.text);
    return authRoutes.login.answer.parse(answer.body).token;
  };

  const signUp = async (role: Role, worksFor?: string): Promise<SignedIn> => {
    const [email, password] = [`${role}-${randomBytes(4).toString("hex")}@example.com`, randomBytes(12).toString("hex")];
    const { id } = await manager.users.create({ email, password, role, owner: worksFor });
    return { id, email, password, token: await login(email, password) };
  };

  const owner = await signUp("owner");

  const api: OwnerScene["api"] = async (method, path, { query = {}, token = owner.token, ...rest } = {}) => {
    const search = new URLSearchParams(
      Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
    ).toString();
    const answer = await send(method, `${prefix}/backlink${path}${search && `?${search}`}`, { token, ...rest });
    if (answer.status < 300) checkShape(method, path.split("?")[0] ?? path, answer);
    return answer;
  };

  return {
    ...scene,
    owner,
    api,
    async ask(name, { params = {}, ...options } = {}) {
      const { method, path, status = 200 }: ApiRoute = backlinkRoutes[name];
      const answer = await api(
        method,
        path.replaceAll(/:(\w+)/g, (_, key: string) => (params as Record<string, string>)[key] ?? ""),
        options,
      );
      assert.equal(answer.status, status, answer.text);
      return answer.body;
    },
    login,
    addUser: async (role) => signUp(role, role === "owner" ? undefined : owner.email),
  };
}

async function send(method: string, url: string, { json, body, token }: ApiOptions): Promise<ApiAnswer> {
  const sent = json === undefined ? body : JSON.stringify(json);
  const response = await fetch(url, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(sent !== undefined && { "content-type": "application/json" }),
    },
    ...(sent !== undefined && { body: sent }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, body: isJson && text ? (JSON.parse(text) as unknown) : text, text, headers: response.headers };
}

/** Static words win over parameters, as in the server's router. */
function routeOf(method: string, path: string): ApiRoute {
  const words = path.split("/");
  const fits = Object.values<ApiRoute>(backlinkRoutes)
    .filter((route) => route.method === method)
    .filter((route) => route.path.split("/").length === words.length)
    .filter((route) => route.path.split("/").every((word, index) => word.startsWith(":") || word === words[index]))
    .toSorted((a, b) => (a.path.match(/:/g)?.length ?? 0) - (b.path.match(/:/g)?.length ?? 0));
  assert.ok(fits[0], `${method} ${path} is in no table`);
  return fits[0];
}

function checkShape(method: string, path: string, answer: ApiAnswer): void {
  const route = routeOf(method, path);
  assert.equal(answer.status, route.status ?? 200, `${method} ${path}`);
  // What the schema doesn't know it leaves out.
  assert.deepEqual(route.answer.parse(answer.body), answer.body, `${method} ${path} answers other fields than its schema has`);
}
