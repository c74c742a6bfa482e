import { timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Accounts } from "./accounts.ts";
import type { Challenges } from "./challenges.ts";
import type { StudioContext } from "./context.ts";
import type { Episodes } from "./episodes.ts";
import type { ImportCopies } from "./import-copies.ts";
import type { Imports } from "./imports.ts";
import { renderPage, type Page } from "./pages/frame.ts";
import { messagePage } from "./pages/sign-in.ts";
import type { Processing } from "./processing.ts";
import { Refused } from "./refused.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ShowsTable } from "./schema.ts";
import type { Session, Sessions } from "./sessions.ts";
import type { Shows } from "./shows.ts";
import type { View, ViewMaker } from "./view.ts";

/** What the routes work with. */
export interface Web {
  readonly context: StudioContext;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly shows: Shows;
  readonly episodes: Episodes;
  readonly processing: Processing;
  readonly scheduler: Scheduler;
  readonly challenges: Challenges;
  readonly imports: Imports;
  readonly copies: ImportCopies;
  readonly views: ViewMaker;
}

/** Quill sets styles through the object model, which needs no exception; images are ours or just chosen. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export function sendPage(reply: FastifyReply, view: View, page: Page, status = 200): FastifyReply {
  return reply
    .code(status)
    .type("text/html; charset=utf-8")
    .headers({
      "content-security-policy": page.mediaOrigin
        ? CONTENT_SECURITY_POLICY.replace("media-src 'self'", `media-src 'self' ${page.mediaOrigin}`)
        : CONTENT_SECURITY_POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "cache-control": page.frame === "public" ? "no-cache" : "no-store",
    })
    .send(renderPage(page, view));
}

export function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? "").includes("text/html");
}

/** Every request gets its view; every request that changes something has to prove that one of our pages made it. */
export function addSessionHooks(app: FastifyInstance, { context, views }: Web): void {
  app.decorateRequest("view", null as unknown as View);
  app.addHook("onRequest", async (request, reply) => {
    request.view = await views.make(request, reply);
  });
  app.addHook("preHandler", async (request) => {
    // PostgreSQL takes no NUL in a text; nobody types one.
    if (request.url.split("?")[1]?.includes("%00") || JSON.stringify(request.body ?? null).includes("\\u0000"))
      throw new Refused(400, "badInput");
    if (request.method === "GET" || request.method === "HEAD") return;
    const given = request.headers["x-csrf-token"] ?? (request.body as { _csrf?: unknown } | null)?._csrf;
    if (typeof given === "string" && sameText(given, request.view.csrf)) return;
    // With the session its proof has ended, too; the reader needs to hear of the first.
    const ended = request.url.startsWith("/shows/") && !request.view.session && !wantsPage(request);
    throw ended ? new Refused(401, "sessionEnded") : new Refused(403, "csrfMissing");
  });
  app.setErrorHandler(async (error, request, reply) => answerError(context, error, request, reply));
  app.setNotFoundHandler(async (request, reply) => {
    // A file that is missing comes from a route that needs no view.
    request.view ??= await views.make(request, reply);
    return answerError(context, new Refused(404, "notFoundLead"), request, reply);
  });
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return b !== "" && left.length === right.length && timingSafeEqual(left, right);
}

async function answerError(context: StudioContext, error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { view } = request;
  const refusal = error instanceof Refused ? error : null;
  const status = refusal?.status ?? statusOf(error);
  if (status >= 500)
    context.log.error(`${request.method} ${request.url.split("?")[0]} broke`, {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  const text = refusal ? view.t[refusal.text] : status === 413 ? view.t.audioTooLarge : status < 500 ? view.t.badInput : view.t.troubleLead;
  if (!wantsPage(request))
    return reply.code(status).send({
      message: text,
      ...(refusal && { code: refusal.text }),
      ...(refusal?.text === "challengeNeeded" && { challenge: "/challenge" }),
    });
  return sendPage(
    reply,
    view,
    messagePage(view, {
      title: status === 404 ? view.t.notFoundTitle : status >= 500 ? view.t.troubleTitle : text,
      lead: status === 404 ? view.t.notFoundLead : status >= 500 ? text : "",
    }),
    status,
  );
}

function statusOf(error: unknown): number {
  const { statusCode } = error as { statusCode?: number };
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
}

/** For pages and calls that need an account. Pages lead to the sign-in and back; calls answer 401. */
export async function requireSession(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { session, pending, t } = request.view;
  if (session) return;
  if (!wantsPage(request)) {
    await reply.code(401).send({ message: t.sessionEnded, code: "sessionEnded" });
    return;
  }
  const next = request.method === "GET" ? request.url : "/dashboard";
  await reply.redirect(pending?.row.stage === "challenge" ? "/challenge" : `/login?next=${encodeURIComponent(next)}`);
}

/** Behind requireSession. */
export function sessionOf(request: FastifyRequest): Session {
  const { session } = request.view;
  if (!session) throw new Refused(401, "sessionEnded");
  return session;
}

/** The show in the address, when it is the account's own. @throws Refused 404 */
export async function showOf(web: Web, request: FastifyRequest): Promise<ShowsTable> {
  const { name } = request.params as { name: string };
  const show = await web.shows.findOwned(name, sessionOf(request).account.id);
  if (!show) throw new Refused(404, "noShow");
  return show;
}

/** Where to go after signing in: a path of ours, never another site. */
export function safeNext(next: unknown): string {
  return typeof next === "string" && /^\/(?![/\\])[\x21-\x7e]*$/.test(next) ? next : "/dashboard";
}
