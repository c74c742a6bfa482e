import type { Request, Response } from "playwright";

/**
 * Trouble on the way to the site while a page is at work: requests of its own without an answer, or with one that says
 * "not now". Pages tell such an outage in the same place as a refusal, and a refusal would end the episode for good.
 */
export class Trouble {
  readonly #origin: string;
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

  requestFailed(request: Request): void {
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
    if (!["document", "xhr", "fetch"].includes(request.resourceType())) return;
    if (!isSameSite(request.url(), this.#origin) && !carriesFile(request)) return;
    this.#count += 1;
    this.last = `${request.method()} ${request.url().split(/[?#]/, 1)[0]} ${what}`;
  }
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
