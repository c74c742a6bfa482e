import type { RequestStatus } from "../../src/contract/backlink-api.ts";

/** What should become of one request of a service other than podcasts: one link an account, one unit a link. */
export interface ModelRequest {
  status: RequestStatus;
  price: number;
  target: number;
  wasStarted: boolean;
  open: number;
  failed: number;
  canceled: number;
  /** Failed, although its unit is on the site. */
  halfway: number;
  done: number;
  spent: number;
  held: number;
}

/** An owner's credits and requests as the readings tell them, in memory. Every step answers the status that the API should. */
export class LedgerModel {
  balance: number;
  readonly accounts: number;
  readonly requests = new Map<string, ModelRequest>();

  constructor(balance: number, accounts: number) {
    this.balance = balance;
    this.accounts = accounts;
  }

  /** @returns the request where the credits are there */
  create(price: number, target: number): ModelRequest | null {
    const cost = price * target;
    if (cost > this.balance) return null;
    this.balance -= cost;
    const none = { open: 0, failed: 0, canceled: 0, halfway: 0, done: 0, spent: 0 };
    return { status: "pending", price, target, wasStarted: false, held: cost, ...none };
  }

  change(request: ModelRequest, price: number, target: number): number {
    if (request.target === target && request.price === price) return 200;
    if (request.target !== target && target < request.done) return 422;
    if (request.status === "running" || request.status === "completed") return 409;
    return this.#orNothing(request, { price, target });
  }

  start(request: ModelRequest): number {
    if (request.status === "running") return 200;
    if (request.status !== "pending") return 409;
    Object.assign(request, { status: "running", wasStarted: true, open: Math.min(this.accounts, request.target) });
    return 200;
  }

  stop(request: ModelRequest): number {
    if (request.status === "stopped") return 200;
    if (request.status !== "pending" && request.status !== "running") return 409;
    this.#cancelOpen(request);
    request.status = "stopped";
    this.#settle(request);
    return 200;
  }

  restart(request: ModelRequest): number {
    if (request.status === "pending") return 409;
    if (!request.wasStarted)
      return this.#orNothing(request, { status: "running", wasStarted: true, open: Math.min(this.accounts, request.target) });
    const { canceled, failed, open } = request;
    const chosen = Math.min(left(request), canceled + failed);
    if (chosen <= 0) return 409;
    const ofCanceled = Math.min(chosen, canceled);
    return this.#orNothing(request, {
      status: "running",
      open: open + chosen,
      canceled: canceled - ofCanceled,
      failed: failed - (chosen - ofCanceled),
    });
  }

  retryAll(request: ModelRequest): number {
    if (request.status === "stopped") return 409;
    const chosen = Math.min(left(request), request.failed);
    if (chosen <= 0) return 200;
    return this.#orNothing(request, { status: "running", open: request.open + chosen, failed: request.failed - chosen });
  }

  /** @param from what the link was before the farm's word */
  complete(request: ModelRequest, from: "open" | "failed" | "canceled" | "halfway"): void {
    request[from] -= 1;
    // What was known to be posted is paid.
    if (from !== "halfway") this.#pay(request);
    this.#end(request);
  }

  failHavingPosted(request: ModelRequest): void {
    request.open -= 1;
    request.halfway += 1;
    this.#pay(request);
    this.#end(request);
  }

  #pay(request: ModelRequest): void {
    request.done += 1;
    request.spent += request.price;
  }

  fail(request: ModelRequest): void {
    request.open -= 1;
    request.failed += 1;
    this.#end(request);
  }

  /** @param was "completed": what is posted stays counted */
  deleteLink(request: ModelRequest, was: "open" | "failed" | "canceled" | "halfway" | "completed"): void {
    if (was !== "completed") request[was] -= 1;
    this.#end(request);
  }

  remove(id: string, request: ModelRequest): void {
    request.status = "stopped";
    this.#settle(request);
    this.requests.delete(id);
  }

  #end(request: ModelRequest): void {
    const { status, done, target, open } = request;
    const isOver = status === "failed" || (status === "running" && (open === 0 || done >= target));
    if (isOver) request.status = done > 0 ? "completed" : "failed";
    if (isOver && done >= target) this.#cancelOpen(request);
    this.#settle(request);
  }

  #cancelOpen(request: ModelRequest): void {
    request.canceled += request.open;
    request.open = 0;
  }

  /** New work has to be paid for: 402 changes nothing. */
  #orNothing(request: ModelRequest, change: Partial<ModelRequest>): number {
    if (due({ ...request, ...change }) - request.held > Math.max(0, this.balance)) return 402;
    Object.assign(request, change);
    this.#settle(request);
    return 200;
  }

  #settle(request: ModelRequest): void {
    this.balance -= due(request) - request.held;
    request.held = due(request);
  }
}

const left = ({ target, done, open }: ModelRequest): number => target - done - open;

function due({ status, spent, price, target, done }: ModelRequest): number {
  return spent + (status === "pending" || status === "running" ? price * Math.max(0, target - done) : 0);
}
