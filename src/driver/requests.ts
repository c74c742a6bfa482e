import type { APIRequestContext, Page } from "playwright";

export type FetchOptions = NonNullable<Parameters<APIRequestContext["fetch"]>[1]>;
type Answer = ReturnType<APIRequestContext["fetch"]>;

const verbs = { get: "GET", post: "POST", put: "PUT", patch: "PATCH", delete: "DELETE", head: "HEAD" } as const;

/** `request` of which every call, by whichever verb, goes through one function. @param send given the method in capitals */
export function throughOne(
  request: APIRequestContext,
  send: (method: string, url: string, options: FetchOptions) => Answer,
): APIRequestContext {
  return new Proxy(request, {
    get(target, name, receiver): unknown {
      if (name === "fetch")
        return async (url: string, options: FetchOptions = {}) => send((options.method ?? "GET").toUpperCase(), url, options);
      if (typeof name === "string" && name in verbs)
        return async (url: string, options: FetchOptions = {}) => send(verbs[name as keyof typeof verbs], url, options);
      const value: unknown = Reflect.get(target, name, receiver);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Playwright's other ways to the same thing, `page.request` and `page.context().request`, lead past no guard either. */
export function guardBy(request: APIRequestContext, page: Page): void {
  for (const owner of [page, page.context()]) Object.defineProperty(owner, "request", { value: request, configurable: true });
}

/** A request's body as `publishRequest.body` sees it: what is sent as fields, without the files among them. null: it has none. */
export function bodyText({ data, form, multipart }: FetchOptions): string | null {
  if (data !== undefined) return typeof data === "string" ? data : Buffer.isBuffer(data) ? data.toString("utf8") : JSON.stringify(data);
  const fields = form ?? multipart;
  if (fields === undefined) return null;
  const entries = fields instanceof FormData ? [...fields] : Object.entries(fields);
  return JSON.stringify(Object.fromEntries(entries.filter(([, value]) => typeof value !== "object")));
}
