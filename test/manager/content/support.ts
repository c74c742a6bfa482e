import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { z } from "zod";
import type { Role } from "../../../src/contract/auth-api.ts";
import { content as contentShape, type medium as mediumShape, type variant as variantShape } from "../../../src/contract/content-api.ts";
import type { Scope } from "../../../src/manager/keys.ts";
import { folderOf } from "../../../src/manager/content/sweep-media.ts";
import { openManager, type Manager } from "../../../src/manager/manager.ts";
import type { ManagerTables } from "../../../src/manager/tables.ts";
import { silentLog } from "../../support/store.ts";
import { tempDir } from "../../support/temp.ts";
import { withManager, type Scene } from "../support.ts";

export type Content = z.output<typeof contentShape>;
export type Variant = z.output<typeof variantShape>;
export type Medium = z.output<typeof mediumShape>;

/** Who calls: headers. */
export type As = Readonly<Record<string, string>>;

export interface ApiAnswer {
  status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- what comes is what the tests are about
  body: any;
  headers: Headers;
}

export interface ContentScene extends Scene {
  /** One that keeps media, beside `manager`, which keeps none. */
  keeper: Manager;
  /** The keeper's. */
  keeperDir: string;
  /** Where its files of contents are. */
  mediaFolder(): Promise<string>;
  /** Signed in. */
  owner: { id: string; email: string; as: As };
  /** A key for reading and writing that belongs to nobody. */
  nobody: As;
  /** A call of the keeper; the path starts after `/api/v1`. Absent `as`: the owner's. */
  api(method: string, path: string, options?: { as?: As; json?: unknown; body?: string | FormData }): Promise<ApiAnswer>;
  addKey(scopes: Scope[], tenant?: string | null): Promise<As>;
  /** An owner is somebody else's; an operator or a viewer works for `owner`. */
  addUser(role: Role): Promise<{ id: string; email: string; as: As }>;
  /** Made with two variants unless the body has its own. */
  make(body?: object, as?: As): Promise<Content>;
  read(id: string, as?: As): Promise<Content>;
  take(id: string, key: string, as?: As): Promise<{ variant: Variant; media: Medium | null }>;
  upload(bytes: Uint8Array<ArrayBuffer>, filename: string, as?: As): Promise<Medium>;
  /** All rows of the tables that contents stand in. */
  rows(): Promise<unknown>;
}

const TABLES = ["contents", "content_variants", "content_picks", "media", "variant_media", "tags", "content_tags"];

/** As `withManager`, with an owner who is signed in and a manager that keeps media. */
export function withContent(name: string, run: (scene: ContentScene, t: TestContext) => Promise<void>): void {
  withManager(name, async (scene, t) => run(await openContentScene(scene, t), t));
}

export const variants = (...texts: string[]): { content: string }[] => texts.map((content) => ({ content }));

async function openContentScene(scene: Scene, t: TestContext): Promise<ContentScene> {
  const { store, vault, clock } = scene;
  const keeperDir = await tempDir(t, "media");
  const keeper = await openManager({
    store,
    vault,
    log: silentLog,
    config: { host: "127.0.0.1", port: 0, allowedHosts: [] },
    clock,
    dataDir: keeperDir,
  });
  t.after(async () => keeper.close());

  const send = async (method: string, path: string, as: As, { json, body }: { json?: unknown; body?: string | FormData }) => {
    const sent = json === undefined ? body : JSON.stringify(json);
    const response = await fetch(`${keeper.url}/api/v1${path}`, {
      method,
      headers: { ...as, ...(typeof sent === "string" && { "content-type": "application/json" }) },
      ...(sent !== undefined && { body: sent }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json");
    return { status: response.status, body: isJson && text ? (JSON.parse(text) as unknown) : text, headers: response.headers };
  };

  const addUser = async (role: Role, worksFor?: string) => {
    const [email, password] = [`${role}-${randomBytes(4).toString("hex")}@example.com`, randomBytes(12).toString("hex")];
    const { id } = await keeper.users.create({ email, password, role, owner: worksFor });
    const { body } = await send("POST", "/auth/login", {}, { json: { email, password } });
    return { id, email, as: { authorization: `Bearer ${(body as { token: string }).token}` } };
  };
  const addKey: ContentScene["addKey"] = async (scopes, tenant = null) => ({
    "x-api-key": (await keeper.keys.create({ name: "contents", scopes, tenant })).key,
  });

  const owner = await addUser("owner");
  const api: ContentScene["api"] = async (method, path, { as = owner.as, ...rest } = {}) => send(method, path, as, rest);
  const ok = async (method: string, path: string, options: Parameters<typeof api>[2], status = 200) => {
    const answer = await api(method, path, options);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.equal(answer.body.success, true);
    return answer.body;
  };
  const shaped = (given: unknown): Content => {
    assert.deepEqual(contentShape.parse(given), given, "a content has other fields than its schema");
    return given as Content;
  };

  return {
    ...scene,
    keeper,
    keeperDir,
    mediaFolder: async () => folderOf(store.part<ManagerTables>("manager"), join(keeperDir, "media-store")),
    owner,
    nobody: await addKey(["content:read", "content:write"]),
    api,
    addKey,
    addUser: async (role) => addUser(role, role === "owner" ? undefined : owner.email),
    make: async (body = {}, as = owner.as) => {
      const json = { title: "A title", variants: variants("One", "Two"), ...body };
      return shaped((await ok("POST", "/content", { as, json }, 201)).content);
    },
    read: async (id, as = owner.as) => shaped((await ok("GET", `/content/get-by-id/${id}`, { as })).content),
    take: async (id, key, as = owner.as) => {
      const { success: _success, ...taken } = await ok("POST", `/content/${id}/take`, { as, json: { key } });
      return taken;
    },
    upload: async (bytes, filename, as = owner.as) => {
      const body = new FormData();
      body.set("file", new Blob([bytes]), filename);
      return (await ok("POST", "/media", { as, body }, 201)).media;
    },
    rows: async () => Promise.all(TABLES.map(async (table) => (await store.raw(`select * from manager.${table} order by 1, 2`)).rows)),
  };
}
