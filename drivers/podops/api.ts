import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { readJson, z, type DriverContext } from "../../src/driver/index.ts";

/** PodOps over the wire, with the token of the session. */

/** The session: a token, kept as a cookie of the site, so that it is sealed, reused and ended like any other session. */
const COOKIE = "podops_token";
/** Whoever is sent there has no session. */
export const SIGN_IN_PATH = "/_a/token";

export type Site = DriverContext<{
  username?: string | undefined;
  password?: string | undefined;
  apiToken?: string | undefined;
}>;

/** @returns "" for a stranger */
export async function tokenOf({ page, origin }: Site): Promise<string> {
  const cookies = await page.context().cookies(origin);
  return cookies.find(({ name }) => name === COOKIE)?.value ?? "";
}

/** @param expiresAt epoch, s */
export async function keepToken({ page, origin }: Site, token: string, expiresAt: number): Promise<void> {
  const cookie = { name: COOKIE, value: token, url: origin, expires: expiresAt, httpOnly: true, sameSite: "Strict" as const };
  await page.context().addCookies([cookie]);
}

interface Sent {
  data?: object;
  multipart?: Record<string, { name: string; mimeType: string; buffer: Buffer }>;
  params?: Record<string, string>;
  /** Absent: of the session. */
  bearer?: string;
  /** A large file takes longer than a step; the deadline of the whole verb holds. */
  timeout?: number;
}

/** One call, whatever is answered. @throws Error once the session has ended: then the page is where `signInPage` looks */
export async function send(
  site: Site,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  { bearer, ...sent }: Sent = {},
): ReturnType<Site["request"]["fetch"]> {
  const headers = { authorization: `Bearer ${bearer ?? (await tokenOf(site))}` };
  const answer = await site.request.fetch(path, { method, headers, ...sent });
  if (answer.status() !== 401 || bearer !== undefined) return answer;
  await site.page.goto(SIGN_IN_PATH);
  throw new Error(`${path} was answered with 401: the session has ended`);
}

/** The same, read. @returns null where there is no such thing; what the API refuses is put onto the page, where `refusals` look */
export async function ask<Schema extends z.ZodType>(
  site: Site,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  schema: Schema,
  sent: Sent = {},
): Promise<z.output<Schema> | null> {
  const answer = await send(site, method, path, sent);
  return answer.status() === 404 || answer.status() === 204 ? null : readJson(site, answer, schema);
}

const types: Readonly<Record<string, string>> = {
  ".mp3": "audio/mpeg",
  ".m4a": "audio/mp4",
  ".wav": "audio/wav",
  ".jpg": "image/jpeg",
  ".png": "image/png",
};

const stored = z.object({ name: z.string(), type: z.string(), size: z.number() });
const asset = z.object({ enclosure: z.object({ type: z.string(), size: z.number(), state: z.string() }) });

/** A file as a resource points to it. */
export type Asset = z.output<typeof stored>;

/** Under its own name: sent again it replaces itself. */
export async function upload(site: Site, production: string, path: string): Promise<Asset> {
  const file = { name: basename(path), mimeType: types[extname(path)] ?? "application/octet-stream", buffer: await readFile(path) };
  const taken = await ask(site, "POST", `/a/v1/upload/${production}`, stored, { multipart: { asset: file }, timeout: 0 });
  if (!taken) throw new Error(`there is no production ${production} to upload to`);
  return taken;
}

/** A recording's name stands for its content, so that one that is there already is not sent again. */
export async function uploadRecording(site: Site, production: string, path: string): Promise<Asset> {
  const name = basename(path);
  const there = await ask(site, "GET", `/a/v1/resource/${production}/asset/${name}`, asset);
  const isWhole = there?.enclosure.size === (await stat(path)).size && there.enclosure.state !== "failed";
  return isWhole ? { name, type: there.enclosure.type, size: there.enclosure.size } : upload(site, production, path);
}
