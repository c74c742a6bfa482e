import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import type { ApiRoute, ApiRoutes, Given } from "../contract/api-route.ts";
import { authRoutes } from "../contract/auth-api.ts";
import { accountRoutes, requestRoutes } from "../contract/backlink-api.ts";
import { contentRoutes, mediaRoutes } from "../contract/content-api.ts";
import { exchange, type SentCall } from "./api-exchange.ts";
import { createSession, type SessionTokens } from "./api-session.ts";

/** A call that was refused. */
export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal";
  readonly status: number;
  /** As in the API's table of errors, for example "payment_required"; "" where it has none, or something before it refused. */
  readonly code: string;
  /** From Retry-After, ms. */
  readonly retryAfterMs: number | null;
  /** The whole answer, for what else an API says. */
  readonly answer: unknown;

  constructor(status: number, code: string, message: string, retryAfterMs: number | null, answer?: unknown) {
    super(message);
    this.answer = answer;
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * No answer of the API came: nobody can be reached, it is elsewhere, it took too long, or what came is none. But for "unreachable"
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

/** What may come of a call. */
type AnswerOf<Route extends ApiRoute<string>> =
  | z.output<Route["answer"]>
  | (Route extends { otherwise: Readonly<Record<number, { answer: infer Other }>> }
      ? Other extends z.ZodType
        ? z.output<Other>
        : never
      : never);

/** What a call takes: nothing that its route does not have. */
export type Sent<Route extends ApiRoute<string>> = (keyof Given<Route>["params"] extends never
  ? object
  : { params: Given<Route>["params"] }) &
  (Route["query"] extends z.ZodType ? { query?: Partial<Record<keyof z.input<Route["query"]>, string | number | undefined>> } : object) &
  (Route["body"] extends z.ZodType ? { body: z.input<Route["body"]> } : object);

type Call<Route extends ApiRoute<string>> =
  object extends Sent<Route> ? (sent?: Sent<Route>) => Promise<AnswerOf<Route>> : (sent: Sent<Route>) => Promise<AnswerOf<Route>>;

export type Calls<Routes extends ApiRoutes<string>> = { readonly [Name in keyof Routes]: Call<Routes[Name]> };

export interface CallOptions {
  /** Where the listener is, e.g. "http://127.0.0.1:8700"; it may be below a path. */
  url: string;
  /** Each exchange, ms; of an export each piece. Default 60,000. */
  deadlineMs?: number | undefined;
  /** How long a call may wait in all where the answer is "later" (429 or 503 with Retry-After), ms. Default 120,000. */
  patienceMs?: number | undefined;
  /** Told before each such wait. */
  onWait?: ((ms: number) => void) | undefined;
  fetch?: typeof globalThis.fetch | undefined;
}

const DEADLINE_MS = 60_000;
const PATIENCE_MS = 120_000;

/** The manager's APIs as functions; names and shapes are those of its OpenAPI document. Each @throws ApiRefusal, ApiUnanswered. */
export interface ApiClient {
  auth: Calls<typeof authRoutes>;
  accounts: Calls<typeof accountRoutes>;
  requests: Calls<typeof requestRoutes>;
  content: Calls<typeof contentCalls>;
}

export interface ClientOptions extends CallOptions {
  email: string;
  password: string;
  /** "secrets:read": an owner sees the accounts' secrets. */
  scope?: "secrets:read";
}

/** Files go by their own addresses. */
const contentCalls = { ...contentRoutes, listMedia: mediaRoutes.listMedia, deleteMedium: mediaRoutes.deleteMedium } as const;

const AUTH = "/api/v1/auth";

/**
 * Signs in at the first call; when its token has expired it refreshes it, and signs in again where that is refused.
 * @example
 * const { accounts } = createClient({ url, email, password });
 * const { data } = await accounts.listGroups({ query: { limit: 100 } });
 */
export function createClient(options: ClientOptions): ApiClient {
  const { email, password, scope } = options;
  const ask = createAsk(options);
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

  return {
    auth: callsOf(ask, session, authRoutes, AUTH),
    accounts: callsOf(ask, session, accountRoutes, "/api/v1/backlink"),
    requests: callsOf(ask, session, requestRoutes, "/api/v1/backlink"),
    content: callsOf(ask, session, contentCalls, "/api/v1"),
  };
}

/** One call; its answer is looked at by nobody yet. @throws ApiRefusal, ApiUnanswered */
export type Ask = (route: ApiRoute<string>, prefix: string, sent: SentCall, token: string | null) => Promise<unknown>;

export function createAsk({ url, deadlineMs = DEADLINE_MS, patienceMs = PATIENCE_MS, onWait, fetch = globalThis.fetch }: CallOptions): Ask {
  return async (route, prefix, sent, token) => {
    for (let patience = patienceMs; ;) {
      const outcome = await exchange({ url, deadlineMs, fetch }, route, prefix, sent, token);
      if (outcome.kind === "answered") return outcome.answer;
      if (outcome.kind !== "refused") throw new ApiUnanswered(outcome.kind, outcome.message, { cause: outcome.cause });
      const { status, code, message, retryAfterMs, answer } = outcome;
      // What was refused for now was not done.
      const isForNow = status === 429 || status === 503;
      if (!isForNow || retryAfterMs === null || retryAfterMs > patience) throw new ApiRefusal(status, code, message, retryAfterMs, answer);
      patience -= Math.max(retryAfterMs, 1000);
      onWait?.(retryAfterMs);
      await delay(retryAfterMs);
    }
  };
}

/** A token that is kept, and made anew when it was refused. */
export interface TokenSource {
  token(): Promise<string>;
  /** Another one than that which was refused. */
  renew(refused: string): Promise<string>;
}

/** The routes of a table as functions, called by their names. */
export function callsOf<Routes extends ApiRoutes<string>>(ask: Ask, session: TokenSource, routes: Routes, prefix: string): Calls<Routes> {
  /** The other side's clock says when a token has expired, not this machine's. */
  async function askAsSomebody(route: ApiRoute<string>, sent: SentCall): Promise<unknown> {
    const token = await session.token();
    try {
      return await ask(route, prefix, sent, token);
    } catch (error) {
      if (!(error instanceof ApiRefusal) || error.status !== 401) throw error;
      return ask(route, prefix, sent, await session.renew(token));
    }
  }
  const calls = Object.entries<ApiRoute<string>>(routes).map(([name, route]) => [
    name,
    async (sent: SentCall = {}): Promise<unknown> =>
      known(route, await (route.needs === "open" ? ask(route, prefix, sent, null) : askAsSomebody(route, sent))),
  ]);
  return Object.fromEntries(calls) as Calls<Routes>;
}

/** @throws ApiUnanswered when it is not what the route answers */
export function known<Route extends ApiRoute<string>>(route: Route, answer: unknown): z.output<Route["answer"]> {
  const shapes = [route.answer, ...Object.values(route.otherwise ?? {}).map((other) => other.answer)];
  const parsed = shapes.map((shape) => shape.safeParse(answer));
  const fits = parsed.find(({ success }) => success);
  if (fits) return fits.data as z.output<Route["answer"]>;
  const issue = parsed[0]?.error?.issues[0];
  throw new ApiUnanswered("unreadable", `${issue?.path.join(".") || "the answer"}: ${issue?.message}`);
}
