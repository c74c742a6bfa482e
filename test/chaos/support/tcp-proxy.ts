import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Borders, type Message } from "./http-borders.ts";

/** What can happen to one request on its way. */
export type Fault =
  /** Its connection breaks before the site hears of it, and for this time new ones are refused. */
  | { kind: "refuse"; forMs: number }
  /** Broken (RST) before the site hears of it. */
  | { kind: "reset before" }
  /** The site handles it and answers, and the connection breaks (RST) before the first byte of the answer. */
  | { kind: "reset after" }
  /** Taken and never answered; the site never hears of it. The connection stays until the other side gives up. */
  | { kind: "black hole" }
  /** So many bytes of the answer, then it breaks (RST). */
  | { kind: "cut"; afterBytes: number }
  /** The answer comes in pieces, spread over this time. */
  | { kind: "slow"; overMs: number }
  /** The answer comes twice. */
  | { kind: "twice" }
  /** The site handles it; then the connection is closed in good order (FIN), without an answer: what a server does to a kept-alive socket. */
  | { kind: "drop" };

/** A request that came by. */
export interface Passage {
  /** e.g. "POST /login" */
  line: string;
  /** Epoch ms. */
  at: number;
  /** The connection had carried another request before. */
  reused: boolean;
  fault: Fault["kind"] | null;
  /** The site has heard of it. */
  reached: boolean;
}

/** A fault that waits for its request. */
export interface PlannedFault {
  /** As many requests as it was meant for have met it. */
  readonly met: boolean;
  /** It hits nothing from now on, and nobody is told that it was not met. */
  withdraw(): void;
}

export interface TcpProxy {
  readonly url: string;
  readonly passages: readonly Passage[];
  /** Faults that no request has met yet: "reset before of ^POST /login$". */
  readonly unmet: readonly string[];
  /** From now on this fault hits the requests whose line ("POST /login") and body match, so many times. */
  harm(line: RegExp, fault: Fault, times?: number, body?: RegExp): PlannedFault;
  close(): Promise<void>;
}

const SLOW_PIECES = 20;
const BODY_LOOKED_AT = 2000;

/** A door in front of a server, one connection behind for each in front; it knows where messages begin and end, and no more. */
/** @param onRequest told of each request before it goes on */
export async function openTcpProxy(origin: string, onRequest: (line: string) => void = () => undefined): Promise<TcpProxy> {
  const { hostname, port } = new URL(origin);
  const passages: Passage[] = [];
  const plans: { line: RegExp; body: RegExp | undefined; fault: Fault; left: number }[] = [];
  const open = new Set<Socket>();
  const closing = new AbortController();
  let server: Server = createServer();
  let ownPort = 0;

  const faultFor = (line: string, { bytes, headBytes }: Message): Fault | null => {
    const body = bytes.toString("latin1", headBytes, headBytes + BODY_LOOKED_AT);
    const plan = plans.find((one) => one.left > 0 && one.line.test(line) && (one.body?.test(body) ?? true));
    if (!plan) return null;
    plan.left -= 1;
    return plan.fault;
  };

  async function listen(): Promise<void> {
    server = createServer({ allowHalfOpen: false }, (socket) => void serve(socket));
    server.listen(ownPort, "127.0.0.1");
    await once(server, "listening");
    ownPort = (server.address() as AddressInfo).port;
  }

  async function refuse(forMs: number): Promise<void> {
    server.close();
    for (const socket of open) socket.resetAndDestroy();
    await delay(forMs, undefined, { signal: closing.signal }).catch(() => undefined);
    if (!closing.signal.aborted) await listen();
  }

  function keep(socket: Socket): Socket {
    open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => open.delete(socket));
    return socket;
  }

  async function serve(front: Socket): Promise<void> {
    keep(front);
    const requests = new Borders({ untilClose: false });
    const behind = new Behind(keep(connect(Number(port), hostname)));
    front.on("close", () => behind.socket.destroy());
    let turn: Promise<unknown> = Promise.resolve();
    let carried = 0;
    front.on("data", (chunk: Buffer) => {
      for (const request of requests.push(chunk)) {
        const reused = carried > 0;
        carried += 1;
        turn = turn.then(async () => pass(front, behind, request, reused)).catch(() => front.destroy());
      }
    });
  }

  async function pass(front: Socket, behind: Behind, request: Message, reused: boolean): Promise<void> {
    const [method = "", path = ""] = request.startLine.split(" ");
    const line = `${method} ${path}`;
    const fault = faultFor(line, request);
    const passage: Passage = { line, at: Date.now(), reused, fault: fault?.kind ?? null, reached: false };
    passages.push(passage);
    onRequest(line);
    if (fault?.kind === "refuse") return refuse(fault.forMs);
    if (fault?.kind === "reset before") return void front.resetAndDestroy();
    if (fault?.kind === "black hole") return;
    passage.reached = true;
    const { bytes, last } = await behind.ask(request, method);
    switch (fault?.kind) {
      case "reset after":
        return void front.resetAndDestroy();
      case "drop":
        return void front.end();
      case "cut":
        // What was written has to leave before the reset, which would throw it away.
        return void front.write(bytes.subarray(0, fault.afterBytes), () => setImmediate(() => front.resetAndDestroy()));
      case "slow":
        await trickle(front, bytes, fault.overMs, closing.signal);
        break;
      case "twice":
        front.write(Buffer.concat([bytes, bytes]));
        break;
      case undefined:
        front.write(bytes);
    }
    if (last) front.end();
  }

  await listen();
  return {
    url: `http://127.0.0.1:${ownPort}`,
    passages,
    get unmet() {
      return plans.filter(({ left }) => left > 0).map(({ line, fault }) => `${fault.kind} of ${line.source}`);
    },
    harm(line, fault, times = 1, body) {
      const plan = { line, body, fault, left: times };
      plans.push(plan);
      return {
        get met() {
          return plan.left === 0;
        },
        withdraw: () => void plans.splice(plans.indexOf(plan), 1),
      };
    },
    async close() {
      closing.abort();
      for (const socket of open) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}

async function trickle(socket: Socket, bytes: Buffer, overMs: number, signal: AbortSignal): Promise<void> {
  const size = Math.ceil(bytes.length / SLOW_PIECES);
  for (let at = 0; at < bytes.length && !socket.destroyed; at += size) {
    socket.write(bytes.subarray(at, at + size));
    await delay(overMs / SLOW_PIECES, undefined, { signal });
  }
}

/** The connection to the server itself: one question at a time. */
class Behind {
  readonly socket: Socket;
  #borders = new Borders({ untilClose: true });
  #answer: PromiseWithResolvers<{ bytes: Buffer; last: boolean }> | null = null;
  #early: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      for (const message of this.#borders.push(chunk))
        this.#take(message, /\r\nconnection:\s*close/i.test(message.bytes.toString("latin1", 0, message.headBytes)));
    });
    socket.on("close", () => {
      const message = this.#borders.end();
      if (message) this.#take(message, true);
      this.#answer?.reject(new Error("the server closed the connection"));
    });
  }

  /** @returns the whole reply, and whether the server closes after it */
  async ask(request: Message, method: string): Promise<{ bytes: Buffer; last: boolean }> {
    this.#borders = new Borders({
      untilClose: true,
      bodyless: (startLine) => method === "HEAD" || /^HTTP\/1\.1 (1\d\d|204|304)\b/.test(startLine),
    });
    this.#answer = Promise.withResolvers();
    this.socket.write(request.bytes);
    return this.#answer.promise;
  }

  #take(message: Message, last: boolean): void {
    this.#early.push(message.bytes);
    // "100 Continue" and its like come before the reply.
    if (/^HTTP\/1\.1 1\d\d\b/.test(message.startLine)) return;
    this.#answer?.resolve({ bytes: Buffer.concat(this.#early), last });
    this.#answer = null;
    this.#early = [];
  }
}
