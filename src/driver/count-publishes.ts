import type { APIRequestContext } from "playwright";
import type { PublishRequest } from "./contract.ts";
import { isPublishRequest } from "./publish-request.ts";

type FetchOptions = NonNullable<Parameters<APIRequestContext["fetch"]>[1]>;

const verbs: Readonly<Record<string, string>> = {
  get: "GET",
  post: "POST",
  put: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  head: "HEAD",
};

/** `request` for the bench: it tells of each publish request that a driver sends by it, before it is sent. */
export function countPublishes(request: APIRequestContext, pattern: PublishRequest, origin: string, count: () => void): APIRequestContext {
  const counted = async (method: string, url: string, options: FetchOptions = {}): ReturnType<APIRequestContext["fetch"]> => {
    const { href } = new URL(url, origin);
    // A getter: the body of an upload is only read where the address matches.
    const sent = {
      method,
      url: href,
      get body() {
        return textOf(options);
      },
    };
    if (isPublishRequest(pattern, sent)) count();
    return request.fetch(url, { ...options, method });
  };
  return new Proxy(request, {
    get(target, name, receiver): unknown {
      if (name === "fetch")
        return async (url: string, options?: FetchOptions) => counted((options?.method ?? "GET").toUpperCase(), url, options);
      const method = typeof name === "string" ? verbs[name] : undefined;
      if (method) return async (url: string, options?: FetchOptions) => counted(method, url, options);
      const value: unknown = Reflect.get(target, name, receiver);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function textOf({ data, form, multipart }: FetchOptions): string {
  const body = data ?? form ?? multipart ?? "";
  return typeof body === "string" || Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body);
}
