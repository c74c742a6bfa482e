import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { STATUS_CODES } from "node:http";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fetch, type Response } from "undici";
import { Failure } from "../contract/failures.ts";
import type { AddressPolicy } from "../kit/addresses.ts";
import { isDiskError } from "./disk.ts";

export interface DownloadOptions {
  toPath: string;
  maxBytes: number;
  /** The whole way: redirects, head and body. */
  deadlineMs: number;
  policy: AddressPolicy;
  signal: AbortSignal;
  /** What it should be, for the sentences and against pages that ask to sign in; images may be `data:` addresses. */
  kind: keyof typeof expected;
}

export interface Downloaded {
  bytes: number;
  /** As the server says, without parameters; "" when it says nothing. What the file is, only its content tells. */
  type: string;
}

const expected = { image: "an image", audio: "sound", feed: "a feed" } as const;
/** What a server may be told that we would like. */
const accepted = { image: "image/*", audio: "audio/*", feed: "application/rss+xml, application/xml, text/xml" } as const;
const MAX_REDIRECTS = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches a file of a stranger's to `toPath`; it appears there whole or not at all.
 * @throws Failure content.unreachable or content.forbidden_address: with the host and what happened, never with a query,
 *   which may hold a key; whatever the signal was aborted with
 */
export async function download(url: string, options: DownloadOptions): Promise<Downloaded> {
  options.signal.throwIfAborted();
  if (/^data:/i.test(url) && options.kind === "image") return keepDataUrl(url, options);
  const address = URL.parse(url);
  if (!address || !/^https?:$/.test(address.protocol))
    throw new Failure("content.unreachable", `the ${options.kind}'s address is not an http:// or https:// address`);
  const deadline = AbortSignal.timeout(options.deadlineMs);
  const both = AbortSignal.any([options.signal, deadline]);
  const partPath = `${options.toPath}.${randomUUID()}.part`;
  try {
    const response = await follow(address, options, both);
    const bytes = await keep(response, partPath, options, both);
    await rename(partPath, options.toPath);
    return { bytes, type: mediaType(response) };
  } catch (error) {
    options.signal.throwIfAborted();
    throw explain(error, address, deadline.aborted ? options.deadlineMs : null, options);
  } finally {
    await rm(partPath, { force: true });
  }
}

async function follow(address: URL, { policy, kind }: DownloadOptions, signal: AbortSignal): Promise<Response> {
  let url = address;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    await orAborted(policy.check(url), signal);
    const response = await fetch(url, {
      dispatcher: policy.dispatcher,
      redirect: "manual",
      signal,
      headers: { "user-agent": "Podcrew (podcast publisher)", accept: `${accepted[kind]}, */*;q=0.5` },
    });
    if (!redirects.has(response.status)) return response;
    await response.body?.cancel();
    const next = URL.parse(response.headers.get("location") ?? "", url);
    if (!next) throw new Refused(`answered ${response.status} without a new address`);
    url = next;
  }
  throw new Refused(`redirects more than ${MAX_REDIRECTS} times`);
}

async function keep(response: Response, partPath: string, { maxBytes, kind }: DownloadOptions, signal: AbortSignal): Promise<number> {
  const refuse = async (why: string): Promise<never> => {
    await response.body?.cancel();
    throw new Refused(why);
  };
  if (!response.ok) return refuse(`answered ${response.status} (${STATUS_CODES[response.status] ?? "unknown"})`);
  if (mediaType(response) === "text/html") return refuse(`answered a web page where ${expected[kind]} was expected`);
  const tooLarge = `is larger than ${Math.round(maxBytes / 1_000_000)} MB`;
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) return refuse(tooLarge);
  if (!response.body) return refuse("answered nothing");
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? new Refused(tooLarge) : null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body), counter, createWriteStream(partPath, { flush: true }), { signal });
  return bytes;
}

/** What the other side did, to be said together with its host. */
class Refused extends Error {}

function explain(error: unknown, address: URL, deadlineMs: number | null, { kind }: DownloadOptions): Failure {
  const known = findCause(error, (cause) => cause instanceof Failure);
  if (known instanceof Failure) return new Failure(known.code, `the ${kind} at ${address.host}: ${known.detail}`, { cause: error });
  const refused = findCause(error, (cause) => cause instanceof Refused);
  const code = findCause(error, (cause) => typeof cause.code === "string")?.code ?? "";
  const why =
    deadlineMs !== null
      ? `did not arrive within ${Math.round(deadlineMs / 100) / 10} s`
      : (refused?.message ?? reasons[code] ?? `broke off${code ? ` (${code})` : ""}`);
  if (findCause(error, isDiskError)) return new Failure("farm.disk", code, { cause: error });
  return new Failure("content.unreachable", `the ${kind} at ${address.host} ${why}`, { cause: error });
}

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: "has a host name that nobody knows",
  EAI_AGAIN: "has a host name that could not be looked up",
  ECONNREFUSED: "refused the connection",
  UND_ERR_CONNECT_TIMEOUT: "does not answer",
  UND_ERR_HEADERS_TIMEOUT: "does not answer",
  UND_ERR_BODY_TIMEOUT: "stopped in the middle",
  UND_ERR_SOCKET: "broke off in the middle",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "broke off in the middle",
  ECONNRESET: "broke off",
  CERT_HAS_EXPIRED: "has a certificate that has run out",
  DEPTH_ZERO_SELF_SIGNED_CERT: "has a certificate that nobody vouches for",
};

function findCause(error: unknown, matches: (cause: NodeJS.ErrnoException) => boolean): NodeJS.ErrnoException | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) if (matches(cause)) return cause;
  return undefined;
}

function mediaType(response: Response): string {
  return (response.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** Name look-ups can't be cancelled; their waiting can. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function keepDataUrl(url: string, { toPath, maxBytes }: DownloadOptions): Promise<Downloaded> {
  const match = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w-]+=[^;,]*)*(;base64)?,/i.exec(url);
  if (!match) throw new Failure("content.image", "the image's data: address is broken");
  if (url.length > maxBytes * 3) throw new Failure("content.image", `the image is larger than ${Math.round(maxBytes / 1_000_000)} MB`);
  const body = url.slice(match[0].length);
  const data = match[2] ? Buffer.from(body, "base64") : Buffer.from(percentDecoded(body), "latin1");
  await writeFile(toPath, data);
  return { bytes: data.length, type: (match[1] ?? "").toLowerCase() };
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
