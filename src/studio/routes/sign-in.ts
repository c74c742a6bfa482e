import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { beginTry, endRightTry, endWrongTry, forgetTry } from "../lockout.ts";
import { challengePage, codePage, signInPage, signOutPage } from "../pages/sign-in.ts";
import { nobodysHash, verifyPassword } from "../../kit/passwords.ts";
import type { AccountsTable } from "../schema.ts";
import { mailCode, takeMailedCode, takeTotpCode, type MailingResult } from "../second-factor.ts";
import type { Session } from "../sessions.ts";
import type { View } from "../view.ts";
import { requireSession, safeNext, sendPage, sessionOf, wantsPage, type Web } from "../web.ts";

const text = z.string().catch("");
const signInForm = z.object({ email: text, password: text, next: text });
const codeForm = z.object({ code: text });
const challengeForm = z.object({ letters: text, next: text });
const MINUTE_MS = 60_000;

export function addSignInRoutes(app: FastifyInstance, web: Web): void {
  const { context, sessions, views } = web;

  const ask = (
    reply: FastifyReply,
    view: View,
    form: { email?: string; next?: string; problem?: string; note?: string },
    status = 200,
  ): FastifyReply => sendPage(reply, view, signInPage(view, { email: "", next: "", problem: "", note: "", ...form }), status);
  const askCode = (
    reply: FastifyReply,
    view: View,
    account: AccountsTable,
    say: { problem?: string; note?: string },
    status = 200,
  ): FastifyReply =>
    sendPage(
      reply,
      view,
      codePage(view, { kind: account.second_factor === "mail" ? "mail" : "totp", email: account.email, problem: "", note: "", ...say }),
      status,
    );
  const lockedText = (view: View): string => view.t.signInLocked(Math.max(1, Math.ceil(context.edges.lockMs / MINUTE_MS)));

  app.get("/login", async (request, reply) => {
    const { next, again } = request.query as { next?: string; again?: string };
    const { session, pending, t } = request.view;
    if (session) return reply.redirect(safeNext(next));
    if (pending && again) {
      await sessions.end(pending.row.id);
      views.dropSession(reply);
      return reply.redirect("/login");
    }
    // A cookie that no longer opens anything: the session has ended, say so.
    const ended = next && !pending && request.cookies["studio_session"] ? t.sessionEnded : "";
    return ask(reply, request.view, { next: next ?? "", note: ended });
  });

  app.post("/login", async (request, reply) => {
    const { view } = request;
    const form = signInForm.parse(request.body ?? {});
    const email = form.email.trim().toLowerCase();
    if (!(await beginTry(context, email))) {
      context.metrics.signIns.inc({ result: "locked" });
      return ask(reply, view, { email: form.email, next: form.next, problem: lockedText(view) }, 429);
    }
    const account = await context.db.selectFrom("accounts").selectAll().where("email", "=", email).executeTakeFirst();
    const right = await verifyPassword(form.password, account?.password_hash ?? nobodysHash);
    if (!account || !right) {
      const locked = await endWrongTry(context, email);
      context.metrics.signIns.inc({ result: locked ? "locked" : "wrong_password" });
      return ask(
        reply,
        view,
        { email: form.email, next: form.next, problem: locked ? lockedText(view) : view.t.signInWrong },
        locked ? 429 : 401,
      );
    }
    if (account.second_factor === "none") return enter(request, reply, account, safeNext(form.next), null);
    // Forgotten, not forgiven: the wrong tries before count on, or codes could be guessed between right passwords.
    await forgetTry(context, email);
    if (view.pending) await sessions.end(view.pending.row.id);
    views.setSession(reply, await sessions.begin(account.id, "code", safeNext(form.next)));
    const mailing = account.second_factor === "mail" ? await mailCode(context, account) : null;
    return reply.redirect(mailing && !mailing.sent ? `/login/code?${mailingQuery(mailing)}` : "/login/code");
  });

  app.get("/login/code", async (request, reply) => {
    const { pending, t } = request.view;
    if (pending?.row.stage !== "code") return reply.redirect("/login");
    const { wait, failed, sent } = request.query as { wait?: string; failed?: string; sent?: string };
    const note = wait && /^\d{1,3}$/.test(wait) ? t.codeWait(Number(wait)) : sent ? t.codeSent : "";
    return askCode(reply, request.view, pending.account, { note, problem: failed ? t.codeMailFailed : "" });
  });

  app.post("/login/code", async (request, reply) => {
    const { view } = request;
    const { pending } = view;
    if (pending?.row.stage !== "code") return reply.redirect("/login");
    const { account } = pending;
    const code = codeForm.parse(request.body ?? {}).code.replace(/\s/g, "");
    if (!(await beginTry(context, account.email))) return giveUp(reply, view, pending);
    const right =
      account.second_factor === "mail" ? await takeMailedCode(context, account, code) : await takeTotpCode(context, account, code);
    if (right) return enter(request, reply, account, pending.row.next_path, pending);
    const locked = await endWrongTry(context, account.email);
    context.metrics.signIns.inc({ result: locked ? "locked" : "wrong_code" });
    return locked ? giveUp(reply, view, pending) : askCode(reply, view, account, { problem: view.t.codeWrong }, 401);
  });

  app.post("/login/code/resend", async (request, reply) => {
    const { pending } = request.view;
    if (pending?.row.stage !== "code" || pending.account.second_factor !== "mail") return reply.redirect("/login");
    const mailing = await mailCode(context, pending.account);
    return reply.redirect(`/login/code?${mailing.sent ? "sent=1" : mailingQuery(mailing)}`);
  });

  /** Both factors were right. The session gets a new token: one that was planted before is worth nothing. */
  async function enter(
    request: FastifyRequest,
    reply: FastifyReply,
    account: AccountsTable,
    next: string,
    pending: Session | null,
  ): Promise<FastifyReply> {
    await endRightTry(context, account.email);
    context.metrics.signIns.inc({ result: "ok" });
    context.log.info("signed in", { account: account.email });
    if (request.view.pending && request.view.pending !== pending) await sessions.end(request.view.pending.row.id);
    const stage = context.edges.challenge === "sign-in" ? "challenge" : "in";
    views.setSession(reply, pending ? await sessions.advance(pending.row.id, stage) : await sessions.begin(account.id, stage, next));
    return reply.redirect(stage === "challenge" ? "/challenge" : next);
  }

  async function giveUp(reply: FastifyReply, view: View, pending: Session): Promise<FastifyReply> {
    await sessions.end(pending.row.id);
    views.dropSession(reply);
    context.metrics.signIns.inc({ result: "locked" });
    return ask(reply, { ...view, csrf: "" }, { email: pending.account.email, problem: lockedText(view) }, 429);
  }
}

function mailingQuery(mailing: Exclude<MailingResult, { sent: true }>): string {
  return "waitMs" in mailing ? `wait=${Math.ceil(mailing.waitMs / 1000)}` : "failed=1";
}

export function addChallengeRoutes(app: FastifyInstance, { sessions, challenges, views }: Web): void {
  const challenged = (view: View): Session | null => view.session ?? (view.pending?.row.stage === "challenge" ? view.pending : null);
  const show = (reply: FastifyReply, view: View, session: Session, next: string, problem: string, status = 200): FastifyReply =>
    sendPage(reply, view, challengePage(view, { letters: challenges.ask(session.row.id), problem, next }), status);

  app.get("/challenge", async (request, reply) => {
    const session = challenged(request.view);
    if (!session) return reply.redirect("/login");
    return show(reply, request.view, session, safeNext((request.query as { next?: string }).next ?? session.row.next_path), "");
  });
  app.post("/challenge", async (request, reply) => {
    const session = challenged(request.view);
    if (!session) return reply.redirect("/login");
    const form = challengeForm.parse(request.body ?? {});
    if (!challenges.solve(session.row.id, form.letters))
      return show(reply, request.view, session, safeNext(form.next), request.view.t.challengeWrong, 403);
    await sessions.set(session.row.id, { human: true });
    if (session.row.stage === "challenge") views.setSession(reply, await sessions.advance(session.row.id, "in"));
    return reply.redirect(safeNext(form.next));
  });
}

export function addSignOutRoutes(app: FastifyInstance, { sessions, views }: Web): void {
  app.get("/logout", { preHandler: requireSession }, async (request, reply) => sendPage(reply, request.view, signOutPage(request.view)));
  app.post("/logout", { preHandler: requireSession }, async (request, reply) => {
    await sessions.end(sessionOf(request).row.id);
    views.dropSession(reply);
    return wantsPage(request) ? reply.redirect("/login") : reply.send({ signedOut: true });
  });
  app.post("/whats-new/seen", { preHandler: requireSession }, async (request, reply) => {
    await sessions.set(sessionOf(request).row.id, { saw_news: true });
    return reply.send({ seen: true });
  });
}
