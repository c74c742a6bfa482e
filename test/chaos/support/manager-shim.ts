import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What may happen to a request on its way to the manager or back. */
const troubles = {
  /** The manager is not asked. */
  "500": (_request, response) => answer(response, 500, {}, '{"success":false,"message":"broken"}'),
  "429": (_request, response) => answer(response, 429, { "retry-after": "1" }, '{"success":false,"message":"slow down"}'),
  reset: (request) => void request.socket.destroy(),
  /** No answer, ever. */
  "black hole": () => undefined,
  "wrong JSON": (_request, response) => answer(response, 200, {}, '{"data":[{"id":'),
  "odd answer": (_request, response) => answer(response, 200, {}, '{"data":"of another kind"}'),
} as const satisfies Record<string, (request: IncomingMessage, response: ServerResponse) => void>;
/** It is done, and the answer gets lost. */
const LOST_REPLY = "lost reply";
export type Trouble = keyof typeof troubles | typeof LOST_REPLY;
export const allTroubles: readonly Trouble[] = [...(Object.keys(troubles) as (keyof typeof troubles)[]), LOST_REPLY];

/** Stands in front of the real manager and makes trouble. */
export class ManagerShim {
  /** What happens to the next request; null: nothing. */
  trouble: () => Trouble | null = () => null;
  /** Every connection is cut. */
  down = false;
  readonly counts = new Map<Trouble, number>();
  /** Epoch ms of the last reports that the manager took. */
  readonly reportedAt: number[] = [];
  real = "";
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      if (this.down) socket.destroy();
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Every connection is cut from now on, those that stand as well. */
  goDown(): void {
    this.down = true;
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      if (this.down) return void request.socket.destroy();
      const trouble = this.trouble();
      if (trouble) this.counts.set(trouble, (this.counts.get(trouble) ?? 0) + 1);
      if (trouble && trouble !== LOST_REPLY) return troubles[trouble](request, response);
      await this.#pass(request, response, Buffer.concat(parts), trouble === LOST_REPLY);
    } catch {
      response.destroy();
    }
  }

  async #pass(request: IncomingMessage, response: ServerResponse, body: Buffer, loseReply: boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onward = httpRequest(`${this.real}${request.url}`, { method: request.method, headers: request.headers, agent: false });
    onward.once("error", reject);
    onward.once("response", (reply) => {
      if (request.method === "POST" && reply.statusCode === 200) this.reportedAt.push(Date.now());
      reply.once("error", reject);
      reply.once("end", resolve);
      if (loseReply) {
        reply.resume();
        request.socket.destroy();
        return;
      }
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
    });
    onward.end(body);
    await promise;
  }
}

function answer(response: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}
