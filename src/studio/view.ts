import type { FastifyReply, FastifyRequest } from "fastify";
import type { AssetUrls } from "./asset-urls.ts";
import type { StudioContext } from "./context.ts";
import type { Edges } from "./edges.ts";
import { newToken } from "./ids.ts";
import type { Locale } from "./schema.ts";
import { csrfOf, SESSION_DAYS, type Session, type Sessions } from "./sessions.ts";
import type { Texts } from "./texts-en.ts";
import { chooseLocale, texts } from "./texts.ts";

export const SESSION_COOKIE = "studio_session";
/** Carries the form's proof for those who are not signed in. */
const VISITOR_COOKIE = "studio_visitor";

/** What a page has to know of who looks at it. */
export interface View {
  t: Texts;
  locale: Locale;
  /** null: not signed in, or half-way. */
  session: Session | null;
  /** Half-way: the password was right. */
  pending: Session | null;
  csrf: string;
  edges: Edges;
  path: string;
  timeZone: string;
  asset(name: string): string;
}

declare module "fastify" {
  interface FastifyRequest {
    view: View;
  }
}

export interface ViewMaker {
  /** Reads the cookies; sets a visitor's where there is none and pages are asked for. */
  make(request: FastifyRequest, reply: FastifyReply): Promise<View>;
  setSession(reply: FastifyReply, token: string): void;
  dropSession(reply: FastifyReply): void;
}

export function createViewMaker(context: StudioContext, sessions: Sessions, assets: AssetUrls): ViewMaker {
  /** Requests so far, per session: for the edge that ends sessions mid-way. */
  const requests = new Map<string, number>();
  const cookie = () => ({ path: "/", httpOnly: true, sameSite: "lax" as const, secure: context.publicUrl.startsWith("https:") });

  async function findSession(token: string): Promise<Session | null> {
    const session = token ? await sessions.find(token) : null;
    const limit = context.edges.sessionExpiresAfterRequests;
    if (!session || session.row.stage !== "in" || limit === 0) return session;
    const count = (requests.get(session.row.id) ?? 0) + 1;
    requests.set(session.row.id, count);
    if (count <= limit) return session;
    requests.delete(session.row.id);
    await sessions.end(session.row.id);
    return null;
  }

  return {
    async make(request, reply) {
      const token = request.cookies[SESSION_COOKIE] ?? "";
      const found = await findSession(token);
      let visitor = request.cookies[VISITOR_COOKIE] ?? "";
      if (!found && !visitor && request.method === "GET" && (request.headers.accept ?? "").includes("text/html")) {
        visitor = newToken();
        reply.setCookie(VISITOR_COOKIE, visitor, cookie());
      }
      const asked = (request.query as { lang?: unknown } | undefined)?.lang;
      const wish = typeof asked === "string" ? asked : undefined;
      const locale = wish
        ? chooseLocale(wish, undefined)
        : found
          ? found.account.locale
          : chooseLocale(undefined, request.headers["accept-language"]);
      const signedIn = found?.row.stage === "in" ? found : null;
      return {
        t: texts[locale],
        locale,
        session: signedIn,
        pending: signedIn ? null : found,
        csrf: found ? found.csrf : visitor ? csrfOf(visitor) : "",
        edges: context.edges,
        path: request.url.split("?")[0] ?? "/",
        timeZone: context.config.timeZone,
        asset: (name) => assets.url(name),
      };
    },
    setSession(reply, token) {
      reply.setCookie(SESSION_COOKIE, token, { ...cookie(), maxAge: SESSION_DAYS * 86_400 });
    },
    dropSession(reply) {
      reply.clearCookie(SESSION_COOKIE, cookie());
    },
  };
}

/** "21 Nov 2026, 09:30" in the reader's language and the studio's time zone. */
export function formatTime(view: Pick<View, "locale" | "timeZone">, at: Date | null): string {
  return at
    ? new Intl.DateTimeFormat(view.locale === "en" ? "en-GB" : view.locale, {
        dateStyle: "medium",
        timeStyle: "short",
        timeZone: view.timeZone,
      }).format(at)
    : "";
}

export function formatDay(view: Pick<View, "locale" | "timeZone">, at: Date | null): string {
  return at
    ? new Intl.DateTimeFormat(view.locale === "en" ? "en-GB" : view.locale, { dateStyle: "long", timeZone: view.timeZone }).format(at)
    : "";
}

/** "4:05", "1:02:09" */
export function formatLength(seconds: number | null): string {
  if (seconds === null) return "";
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}
