/** What came back, with redirects not followed. */
export interface Answer {
  status: number;
  location: string;
  text: string;
}

/** Somebody with a cookie jar and no browser. */
export class Visitor {
  readonly #origin: string;
  readonly #cookies = new Map<string, string>();

  constructor(origin: string) {
    this.#origin = origin;
  }

  get = async (path: string): Promise<Answer> => this.#ask(path, {});

  submit = async (path: string, fields: Record<string, string>): Promise<Answer> =>
    this.#ask(path, { method: "POST", body: new URLSearchParams(fields) });

  /** JSON to and fro; null where the site refused. */
  async call<T>(path: string, body: unknown): Promise<T | null> {
    const answer = await this.#ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    return answer.status === 200 ? (JSON.parse(answer.text) as T) : null;
  }

  /** @returns the upload's id */
  async upload(name: string, type: string, text: string): Promise<string> {
    const body = new FormData();
    body.append("file", new Blob([text], { type }), name);
    const answer = await this.#ask("/api/uploads", { method: "POST", body });
    return (JSON.parse(answer.text) as { id: string }).id;
  }

  async #ask(path: string, init: RequestInit): Promise<Answer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(new URL(path, this.#origin), {
      ...init,
      redirect: "manual",
      headers: { accept: "text/html", ...(init.headers as Record<string, string>), cookie },
      signal: AbortSignal.timeout(10_000),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      this.#cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    return { status: answer.status, location: answer.headers.get("location") ?? "", text: await answer.text() };
  }
}
