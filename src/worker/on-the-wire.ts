import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import type { PublishRequest } from "../driver/contract.ts";

const STARTED = "http.client.request.start";
const ANSWERED = "http.client.response.finish";

/**
 * Tells what Node's own HTTP client does with the publish request, which Playwright only speaks of when all is over: its last
 * byte was handed to the operating system; the head of its answer is in. Silent where the browser sends it itself.
 * @returns stops telling
 */
export function onTheWire({ method, url }: PublishRequest, tell: { written(): void; answered(): void }): () => void {
  const isOurs = (request: ClientRequest): boolean =>
    request.method === method && url.test(`${request.protocol}//${String(request.getHeader("host"))}${request.path}`);
  const started = (message: unknown): void => {
    const { request } = message as { request: ClientRequest };
    if (!isOurs(request)) return;
    if (request.writableFinished) tell.written();
    else request.once("finish", tell.written);
  };
  const answered = (message: unknown): void => {
    if (isOurs((message as { request: ClientRequest }).request)) tell.answered();
  };
  subscribe(STARTED, started);
  subscribe(ANSWERED, answered);
  return () => {
    unsubscribe(STARTED, started);
    unsubscribe(ANSWERED, answered);
  };
}
