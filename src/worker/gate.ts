import type { APIRequestContext, BrowserContext, Route } from "playwright";
import type { PublishRequest } from "../driver/contract.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import { holdsSecret } from "../kit/redact.ts";
import { bodyText, throughOne, type FetchOptions } from "../driver/requests.ts";
import { isHeldRequest, isPublishRequest, readAnswer, sendHeld, type HeldAnswer } from "../driver/publish-request.ts";
import { onTheWire } from "./on-the-wire.ts";

/**
 * The gate of POSTING.md, rules 5 and 10. The publish request is held by a narrow route that exists only around the
 * click; it goes once, and only while the coordinator says that the episode is ours and armed less than 2 s ago.
 */
const ARMED_FOR_MS = 2000;
/** A main thread that is busy answers late; each question renews the arm, so asking again is honest. */
const MAX_QUESTIONS = 3;

export interface GateOptions {
  publishRequest: PublishRequest;
  /** Renews the arm where the fence is still ours. */
  ask(): Promise<{ pass: boolean; why: string }>;
  /** Once it fires, nothing passes any more. */
  signal: AbortSignal;
  /** How long the site may take to answer, ms. */
  timeoutMs: number;
  /** Absent: this thread's own clock; ms, only differences mean something. */
  monotonic?: () => number;
}

/** What the gate saw during one publish. */
export interface GateReport {
  /** Matching requests that came to the gate. */
  seen: number;
  /** Those after the first; none of them was sent. */
  refused: number;
  /** Why the first one was not let through; "" when it was. */
  closed: string;
  /** Bytes may have left this machine. */
  sent: boolean;
  answer: HeldAnswer | null;
  /** Why there is no answer although it was sent. */
  error: string;
  /** Other changing requests that the driver sent by `request` meanwhile: something of theirs may have published, too. */
  leaked: number;
}

export class Gate {
  readonly #options: GateOptions;
  readonly #report: GateReport = { seen: 0, refused: 0, closed: "", sent: false, answer: null, error: "", leaked: 0 };
  #open = true;
  #held: Promise<void> = Promise.resolve();
  readonly #failed = Promise.withResolvers<never>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#failed.promise.catch(() => undefined);
  }

  /** Until the request is let go, a cancel is safe; from then on the publish has to come to its end. */
  get passed(): boolean {
    return this.#report.sent;
  }

  /** Rejects once there is no good news to wait for: shut, no answer, or answered with an error. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Installs the gate for all pages of a context. @returns takes it away again */
  async installOn(context: BrowserContext): Promise<() => Promise<void>> {
    const { publishRequest } = this.#options;
    const handler = async (route: Route): Promise<void> => {
      if (!isHeldRequest(publishRequest, route.request())) return route.fallback();
      const send = async (): Promise<HeldAnswer> => sendHeld(route, publishRequest, this.#options.timeoutMs);
      if (!(await this.#hold(send))) await route.abort("blockedbyclient").catch(() => undefined);
    };
    await context.route(publishRequest.url, handler);
    return async () => context.unroute(publishRequest.url, handler).catch(() => undefined);
  }

  /** Lets one request through, if it may. @returns false when it must be dropped */
  async #hold(send: () => Promise<HeldAnswer>): Promise<boolean> {
    const report = this.#report;
    report.seen += 1;
    if (report.seen > 1 || !this.#open) {
      report.refused += 1;
      return false;
    }
    const held = this.#pass(send);
    this.#held = held.then(() => undefined);
    return held;
  }

  async #pass(send: () => Promise<HeldAnswer>): Promise<boolean> {
    const report = this.#report;
    crashpoint("request-held");
    report.closed = await this.#mayPass();
    if (report.closed) {
      this.#failed.reject(new Error(`the gate was shut: ${report.closed}`));
      return false;
    }
    // No await between the last check and this line.
    report.sent = true;
    const forget = onTheWire(this.#options.publishRequest, {
      written: () => {
        crashpoint("bytes-sent");
      },
      answered: () => {
        crashpoint("reply-headers");
      },
    });
    try {
      report.answer = await send();
      crashpoint("reply-parsed");
      const { httpStatus, message } = report.answer;
      if (httpStatus >= 400) this.#failed.reject(new Error(`the publish request was answered with ${httpStatus} ${message}`));
      return true;
    } catch (error) {
      report.error = error instanceof Error ? error.message : String(error);
      this.#failed.reject(new Error(`the publish request got no answer: ${report.error}`));
      return false;
    } finally {
      forget();
    }
  }

  /** "" when the request may go now, else why not. */
  async #mayPass(): Promise<string> {
    const { ask, signal, monotonic = () => performance.now() } = this.#options;
    for (let question = 0; question < MAX_QUESTIONS; question += 1) {
      if (signal.aborted) return "the task was canceled";
      const askedAtMs = monotonic();
      const { pass, why } = await ask().catch((error: unknown) => ({
        pass: false,
        why: error instanceof Error ? error.message : String(error),
      }));
      if (!pass) return why || "the coordinator keeps it shut";
      if (signal.aborted) return "the task was canceled";
      if (!this.#open) return "the publish step had ended already";
      if (monotonic() - askedAtMs < ARMED_FOR_MS) return "";
    }
    return `the permission took longer than ${ARMED_FOR_MS / 1000} s to arrive, ${MAX_QUESTIONS} times`;
  }

  /** A changing request that is not the publish request, sent while this publish goes on. */
  noteLeak(): void {
    this.#report.leaked += 1;
  }

  /** Shuts the gate for everything that comes later and waits for what is on its way. */
  async close(): Promise<GateReport> {
    this.#open = false;
    await this.#held;
    return { ...this.#report };
  }

  /**
   * The same guard for drivers that publish by `request` instead of a page.
   * @param fetch given how long the site may take: a look that comes earlier means nothing
   */
  async sendByRequest(
    fetch: (timeoutMs: number) => ReturnType<APIRequestContext["fetch"]>,
    url: string,
  ): ReturnType<APIRequestContext["fetch"]> {
    let response: Awaited<ReturnType<APIRequestContext["fetch"]>> | null = null;
    const passed = await this.#hold(async () => {
      response = await fetch(this.#options.timeoutMs);
      return readAnswer(response, url);
    });
    if (!passed || !response) throw new Error(this.#report.error || `the gate is shut: ${this.#report.closed || "one request a publish"}`);
    return response;
  }
}

/** By RFC 9110 these change nothing, unless a site publishes by GET: that one is held by `publishRequest`. */
export const harmlessMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * `request` as drivers get it: what matches `publishRequest` only goes through the gate that is open at that moment.
 * @param gate the gate of the running publish, or null outside of it
 * @param onChange something may be changed at the site, or a secret is shown to it
 */
export function guardRequests(
  request: APIRequestContext,
  publishRequest: PublishRequest,
  origin: string,
  gate: () => Gate | null,
  onChange: () => void,
): APIRequestContext {
  const guarded = async (method: string, url: string, options: FetchOptions): ReturnType<APIRequestContext["fetch"]> => {
    const address = new URL(url, origin).href;
    const open = gate();
    if (!isPublishRequest(publishRequest, { method, url: address, body: bodyText(options) })) {
      const harmless = harmlessMethods.has(method);
      if (!harmless) open?.noteLeak();
      if (!harmless || showsSecret(address, options)) onChange();
      // What changes something is sent once, also where the driver asked for more.
      return request.fetch(url, { ...options, method, ...(!harmless && { maxRetries: 0 }) });
    }
    if (!open) throw new Error(`${method} ${address} is the publish request; it may only be sent by the verb publish`);
    const once = { ...options, method, maxRetries: 0, maxRedirects: 0 };
    return open.sendByRequest(async (timeout) => request.fetch(url, { ...once, timeout }), address);
  };
  return throughOne(request, guarded);
}

/** Some APIs are signed in to by a token in the address or in a header. */
function showsSecret(address: string, { params, headers }: FetchOptions): boolean {
  const query = params instanceof URLSearchParams ? params.toString() : params;
  return holdsSecret(JSON.stringify([address, query, headers]));
}
