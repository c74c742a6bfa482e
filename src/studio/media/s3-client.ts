import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { AwsV4Signer } from "aws4fetch";
import { Agent, request, type Dispatcher } from "undici";
import type { BucketAddress } from "../../kit/media-address.ts";

const TRIES = 4;
const FIRST_REST_MS = 200;
const CONNECT_MS = 10_000;
/** Without a byte in either direction. */
const SILENCE_MS = 60_000;
const patience = { connect: { timeout: CONNECT_MS }, headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS } as const;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface S3Key {
  keyId: string;
  secret: string;
}

export interface S3Call {
  method: "GET" | "HEAD" | "PUT" | "DELETE";
  /** Below the prefix; absent: the bucket itself. */
  name?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** Opened anew for each try. */
  body?: () => Readable;
  /** Its answer is read as slowly as somebody listens. */
  streamed?: boolean;
  /** For who only wants to know whether it answers: one try, within so long, ms. */
  onceWithinMs?: number;
}

export interface S3Answer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Dispatcher.ResponseData["body"];
}

/** The store says no, or nothing. */
export class S3Error extends Error {
  override readonly name = "S3Error";
  /** 0: no answer came. */
  readonly status: number;

  constructor(status: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }
}

/** Signed requests to one bucket. What a busy or absent store leaves undone is tried again; all of our calls may be repeated. */
export class S3Client {
  readonly #address: BucketAddress;
  readonly #key: S3Key;
  readonly #signingKeys = new Map<string, ArrayBuffer>();
  readonly #agent = new Agent({ ...patience, connections: 64 });
  /** As many lines as there are listeners: slow ones must not stand in the way of anything else. */
  readonly #streams = new Agent(patience);
  readonly #closing = new AbortController();

  constructor(address: BucketAddress, key: S3Key) {
    this.#address = address;
    this.#key = key;
  }

  /**
   * @returns the answer, its body unread, also when it is a 404. @throws S3Error for every other one that is no success: also for a
   * redirect, by which a store says that the bucket lives elsewhere; and when no answer came
   */
  async call(call: S3Call): Promise<S3Answer> {
    const tries = call.onceWithinMs === undefined ? TRIES : 1;
    for (let tried = 1; ; tried += 1) {
      const error = await this.#try(call).then(
        async (answer) => (answer.status < 300 || answer.status === 404 ? answer : refusalOf(answer)),
        (thrown: unknown) => new S3Error(0, `no answer (${codeOf(thrown)})`, thrown),
      );
      if (!(error instanceof S3Error)) return error;
      const again = error.status === 0 || error.status === 429 || error.status >= 500;
      if (!again || tried === tries || this.#closing.signal.aborted) throw error;
      await delay(FIRST_REST_MS * 3 ** (tried - 1), undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  /** The text of an answer. */
  async text({ body }: S3Answer): Promise<string> {
    let text = "";
    for await (const chunk of body.setEncoding("utf8")) {
      text += String(chunk);
      if (text.length > MAX_ANSWER_BYTES) throw new S3Error(0, "an answer that does not end");
    }
    return text;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#agent.destroy(), this.#streams.destroy()]);
  }

  async #try({ method, name, query = {}, headers = {}, body, streamed, onceWithinMs }: S3Call): Promise<S3Answer> {
    const signer = new AwsV4Signer({
      method,
      url: this.#url(name, query),
      headers,
      accessKeyId: this.#key.keyId,
      secretAccessKey: this.#key.secret,
      service: "s3",
      region: this.#address.region,
      cache: this.#signingKeys,
    });
    const signed = await signer.sign();
    const closing = this.#closing.signal;
    const answer = await request(signed.url, {
      method,
      headers: Object.fromEntries(signed.headers),
      dispatcher: streamed ? this.#streams : this.#agent,
      signal: onceWithinMs === undefined ? closing : AbortSignal.any([closing, AbortSignal.timeout(onceWithinMs)]),
      body: body?.() ?? null,
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  }

  #url(name: string | undefined, query: Record<string, string>): string {
    const { endpoint, bucket, prefix, style } = this.#address;
    const url = new URL(endpoint);
    if (style === "host") url.host = `${bucket}.${url.host}`;
    const key = name === undefined ? "" : `${prefix}${name}`;
    url.pathname = style === "host" ? `/${key}` : `/${bucket}${name === undefined ? "" : `/${key}`}`;
    for (const [field, value] of Object.entries(query)) url.searchParams.set(field, value);
    return url.href;
  }
}

/** Its code, such as "SlowDown"; the sentence beside it may quote what was sent. */
async function refusalOf({ status, body }: S3Answer): Promise<S3Error> {
  const text = await body.text().catch(() => "");
  const code = /<Code>([A-Za-z0-9.]{1,60})<\/Code>/.exec(text)?.[1];
  return new S3Error(status, `answered ${status}${code ? ` ${code}` : ""}`);
}

function codeOf(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  return name === "TimeoutError" ? "in time" : typeof code === "string" ? code : message;
}
