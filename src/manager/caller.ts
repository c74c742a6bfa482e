import type { IncomingHttpHeaders } from "node:http";
import { workerHeaders } from "../contract/worker-api.ts";
import { ApiError } from "./errors.ts";
import type { KeyInfo, Keys, Scope } from "./keys.ts";
import { siteName } from "./site-name.ts";

/** Who calls: the unit that can hold a task is an API key together with a worker's name. */
export interface Caller {
  readonly keyId: string;
  /** X-Worker-Id, or "" when the key alone is the holder. */
  readonly worker: string;
  /** For people: the worker's name, else the key's. */
  readonly name: string;
  /** `key id/worker`. */
  readonly holder: string;
}

const MAX_WORKER_ID_CHARACTERS = 100;
const MAX_SITES = 1000;

const one = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(",") : (value ?? "")).trim();

/** @throws ApiError NO_API_KEY, INVALID_API_KEY, forbidden */
export async function authenticate(headers: IncomingHttpHeaders, keys: Keys, scope: Scope): Promise<KeyInfo> {
  const presented = one(headers[workerHeaders.apiKey]);
  if (!presented) throw new ApiError("NO_API_KEY");
  const key = await keys.find(presented);
  if (!key) throw new ApiError("INVALID_API_KEY");
  if (!key.scopes.includes(scope)) throw new ApiError("forbidden", scope);
  return key;
}

/** @throws ApiError unprocessable when the worker's name is too long */
export function readCaller(headers: IncomingHttpHeaders, key: KeyInfo): Caller {
  const worker = one(headers[workerHeaders.workerId]);
  if (worker.length > MAX_WORKER_ID_CHARACTERS)
    throw new ApiError("unprocessable", `X-Worker-Id: more than ${MAX_WORKER_ID_CHARACTERS} characters`);
  return { keyId: key.id, worker, name: worker || key.name, holder: `${key.id}/${worker}` };
}

/**
 * The sites that a farm says it can drive, or null when it says nothing. A blank list is a farm without drivers.
 * @throws ApiError unprocessable naming what is no site
 */
export function readSites(headers: IncomingHttpHeaders): string[] | null {
  const header = headers[workerHeaders.sites];
  if (header === undefined) return null;
  const words = one(header)
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);
  if (words.length > MAX_SITES) throw new ApiError("unprocessable", `X-Worker-Sites: more than ${MAX_SITES} sites`);
  const bad = words.filter((word) => siteName(word) === null);
  if (bad.length > 0) throw new ApiError("unprocessable", `X-Worker-Sites: not a host: ${bad.slice(0, 5).join(", ")}`);
  return [...new Set(words.map((word) => siteName(word) ?? word))];
}
