import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/**
 * What becomes of one request: let through; cut before the site hears of it; handled by the site and its answer lost; answered
 * 503 in the site's place; taken and never answered.
 */
export type Fault = "none" | "cut" | "lost" | "unavailable" | "swallowed";

/** A door before a site that can be slammed. @param fault asked for each request, e.g. "POST /shows/x/episodes" */
export async function openFaultyProxy(t: Pick<TestContext, "after">, origin: string, fault: (line: string) => Fault): Promise<string> {
  const { hostname, port } = new URL(origin);
  const server = createServer((incoming: IncomingMessage, answer) => {
    const { method = "GET", url = "/", headers } = incoming;
    const path = url.split("?", 1)[0] ?? "/";
    const kind = fault(`${method} ${path}`);
    if (kind === "cut") return void incoming.socket.destroy();
    if (kind === "swallowed") return void incoming.resume();
    if (kind === "unavailable") {
      incoming.resume();
      return void answer.writeHead(503, { "content-type": "application/json" }).end('{"message":"The studio is being mended."}');
    }
    const outgoing = httpRequest({ hostname, port, method, path: url, headers }, (response) => {
      if (kind === "lost") {
        response.resume();
        return void response.on("end", () => incoming.socket.destroy());
      }
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    outgoing.on("error", () => incoming.socket.destroy());
    incoming.on("close", () => incoming.complete || outgoing.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
