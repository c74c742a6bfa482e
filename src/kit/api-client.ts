import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import type { ApiRoute, ApiRoutes, Given } from "../contract/api-route.ts";
import { authRoutes } from "../contract/auth-api.ts";
import { accountRoutes, requestRoutes } from "../contract/backlink-api.ts";
import { contentRoutes, mediaRoutes } from "../contract/content-api.ts";
import { exchange, type SentCall } from "./api-exchange.ts";
import { createSession, type SessionTokens } from "./api-session.ts";

/** A call that the manager refused. */
export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal";
  readonly status: number;
  /** As in the manager's table of errors, for example "payment_required"; "" where something before it refused. */
  readonly code: string;
  /** From Retry-After, ms. */
  readonly retryAfterMs: number | null;

  constructor(status: number, code: string, message: string, retryAfterMs: number | null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * No answer of a manager came: nobody can be reached, it is elsewhere, it took too long, or what came is none. But for "unreachable"
 * and "moved" the call may have been carried out.
 */
export class ApiUnanswered extends Error {
  override readonly name = "ApiUnanswered";
  readonly kind: "unreachable" | "moved" | "late" | "unreadable";

  constructor(kind: ApiUnanswered["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What a call takes: nothing that its route does not have. */
type Sent<Route extends ApiRoute> = (keyof Given<Route>["params"] extends never ? object : { params: Given<Route>["params"] }) &
  (Route["query"] extends z.ZodType ? { query?: Partial<Record<keyof z.input<Route["query"]>, string | number | undefined>> } : object) &
  (Route["body"] extends z.ZodType ? { body: z.input<Route["body"]> } : object);

type Call<Route extends ApiRoute> =
  object extends Sent<Route>
    ? (sent?: Sent<Route>) => Promise<z.output<Route["answer"]>>
    : (sent: Sent<Route>) => Promise<z.output<Route["answer"]>>;

type Calls<Routes extends ApiRoutes> = { readonly [Name in keyof Routes]: Call<Routes[Name]> };

/** The manager's APIs as functions; names and shapes are those of its OpenAPI document. Each @throws ApiRefusal, ApiUnanswered. */
export interface ApiClient {
  auth: Calls<typeof authRoutes>;
  accounts: Calls<typeof accountRoutes>;
  requests: Calls<typeof requestRoutes>;
  content: Calls<typeof contentCalls>;
}

export interface ClientOptions {
  /** Where the manager is, e.g. "http://127.0.0.1:8700"; it may be below a path. */
  url: string;
  email: string;
  password: string;
  /** "secrets:read": an owner sees the accounts' secrets. */
  scope?: "secrets:read";
  /** Each exchange, ms; of an export each piece. Default 60,000. */
  deadlineMs?: number;
  /** How long a call may wait in all where the manager says "later" (429 or 503 with Retry-After), ms. Default 120,000. */
  patienceMs?: number;
  /** Told before each such wait. */
  onWait?: (ms: number) => void;
  fetch?: typeof globalThis.fetch;
}

/** Files go by their own addresses. */
const contentCalls = { ...contentRoutes, listMedia: mediaRoutes.listMedia, deleteMedium: mediaRoutes.deleteMedium } as const;

const DEADLINE_MS = 60_000;
const PATIENCE_MS = 120_000;
const AUTH = "/api/v1/auth";

/**
 * Signs in at the first call; when its token has expired it refreshes it, and signs in again where that is refused.
 * @example
 * const { accounts } = createClient({ url, email, password });
 * const { data } = await accounts.listGroups({ query: { limit: 100 } });
 */
export function createClient(options: ClientOptions): ApiClient {
  const { url, email, password, scope, deadlineMs = DEADLINE_MS, patienceMs = PATIENCE_MS, onWait } = options;
  const { fetch = globalThis.fetch } = options;

  /** What was refused for now was not done. @throws ApiRefusal, ApiUnanswered */
  async function ask(route: ApiRoute, prefix: string, sent: SentCall, token: string | null): Promise<unknown> {
    for (let patience = patienceMs; ;) {
      const outcome = await exchange({ url, deadlineMs, fetch }, route, prefix, sent, token);
      if (outcome.kind === "answered") return outcome.answer;
      if (outcome.kind !== "refused") throw new ApiUnanswered(outcome.kind, outcome.message, { cause: outcome.cause });
      const { status, code, message, retryAfterMs } = outcome;
      const isForNow = status === 429 || status === 503;
      if (!isForNow || retryAfterMs === null || retryAfterMs > patience) throw new ApiRefusal(status, code, message, retryAfterMs);
      patience -= Math.max(retryAfterMs, 1000);
      onWait?.(retryAfterMs);
      await delay(retryAfterMs);
    }
  }

  const session = createSession(
    async () => known(authRoutes.login, await ask(authRoutes.login, AUTH, { body: { email, password, ...(scope && { scope }) } }, null)),
    async (refresh_token): Promise<SessionTokens | null> => {
      try {
        return known(authRoutes.refresh, await ask(authRoutes.refresh, AUTH, { body: { refresh_token } }, null));
      } catch (error) {
        if (error instanceof ApiRefusal && error.status === 401) return null;
        throw error;
      }
    },
  );

  /** The manager's clock says when a token has expired, not this machine's. */
  async function askAsSomebody(route: ApiRoute, prefix: string, sent: SentCall): Promise<unknown> {
    const token = await session.token();
    try {
      return await ask(route, prefix, sent, token);
    } catch (error) {
      if (!(error instanceof ApiRefusal) || error.status !== 401) throw error;
      return ask(route, prefix, sent, await session.renew(token));
    }
  }

  function callsOf<Routes extends ApiRoutes>(routes: Routes, prefix: string): Calls<Routes> {
    const calls = Object.entries<ApiRoute>(routes).map(([name, route]) => [
      name,
      async (sent: SentCall = {}): Promise<unknown> =>
        known(route, await (route.needs === "open" ? ask(route, prefix, sent, null) : askAsSomebody(route, prefix, sent))),
    ]);
    return Object.fromEntries(calls) as Calls<Routes>;
  }

  return {
    auth: callsOf(authRoutes, AUTH),
    accounts: callsOf(accountRoutes, "/api/v1/backlink"),
    requests: callsOf(requestRoutes, "/api/v1/backlink"),
    content: callsOf(contentCalls, "/api/v1"),
  };
}

/** @throws ApiUnanswered when it is not what the route answers */
function known<Route extends ApiRoute>(route: Route, answer: unknown): z.output<Route["answer"]> {
  const parsed = route.answer.safeParse(answer);
  if (parsed.success) return parsed.data as z.output<Route["answer"]>;
  const [issue] = parsed.error.issues;
  throw new ApiUnanswered("unreadable", `${issue?.path.join(".") || "the answer"}: ${issue?.message}`);
}
