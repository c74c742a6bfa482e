import type { Request, Response } from "playwright";

/** Slower than this is no longer the site's usual pace. */
const UNANSWERED_MS = 5000;

/**
 * Trouble on the way to the site while a page is at work: requests of its own without an answer, or with one that says
 * "not now". Pages tell such an outage in the same place as a refusal, and a refusal would end the episode for good.
 */
export class Trouble {
  readonly #origin: string;
  /** Requests without a whole answer yet, and when they began. */
  readonly #open = new Map<Request, number>();
  #count = 0;
  /** The newest, for people: "POST /api/episodes was answered with 503". */
  last = "";

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** How often so far; a larger number later means that there was trouble in between. */
  get count(): number {
    return this.#count;
  }

  requestBegan(request: Request): void {
    // A page may poll for hours, and a large file takes its time; what else it is asked to do, and where it is led, is answered soon.
    if (request.resourceType() !== "document" && request.method() === "GET") return;
    if (this.#matters(request) && !carriesFile(request)) this.#open.set(request, performance.now());
  }

  requestEnded(request: Request): void {
    this.#open.delete(request);
  }

  /** A page that is left takes its requests with it. */
  leftPage(): void {
    this.#open.clear();
  }

  /** What the site has not answered for a while: "POST /login has had no answer for 9 s". "" when nothing. */
  get unanswered(): string {
    const now = performance.now();
    const oldest = [...this.#open].find(([, since]) => now - since >= UNANSWERED_MS);
    return oldest ? `${nameOf(oldest[0])} has had no answer for ${Math.round((now - oldest[1]) / 1000)} s` : "";
  }

  requestFailed(request: Request): void {
    this.requestEnded(request);
    const error = request.failure()?.errorText ?? "";
    // Dropped by the page itself, by leaving it, or by our gate.
    if (/ERR_ABORTED|ERR_BLOCKED_BY_CLIENT/.test(error)) return;
    this.#note(request, `got no answer (${error})`);
  }

  answered(response: Response): void {
    const status = response.status();
    if (status >= 500 || status === 408 || status === 429) this.#note(response.request(), `was answered with ${status}`);
  }

  #note(request: Request, what: string): void {
    if (!this.#matters(request)) return;
    this.#count += 1;
    this.last = `${nameOf(request)} ${what}`;
  }

  #matters(request: Request): boolean {
    if (!["document", "xhr", "fetch"].includes(request.resourceType())) return false;
    return isSameSite(request.url(), this.#origin) || carriesFile(request);
  }
}

function nameOf(request: Request): string {
  return `${request.method()} ${request.url().split(/[?#]/, 1)[0]}`;
}

/** Counters of visitors and other strangers on a page fail all the time, and mean nothing. */
function isSameSite(url: string, origin: string): boolean {
  if (!URL.canParse(url)) return false;
  const [one, other] = [new URL(url).hostname, new URL(origin).hostname];
  const domain = (host: string): string => host.split(".").slice(-2).join(".");
  return one === other || (!/^[\d.]+$|:/.test(one) && domain(one) === domain(other));
}

/** Uploads mostly go to somebody else's storage. */
function carriesFile(request: Request): boolean {
  return request.method() === "PUT" || (request.headers()["content-type"] ?? "").startsWith("multipart/");
}
