import { html } from "ghtml";
import type { View } from "../view.ts";
import type { Page } from "./frame.ts";

const field = (view: View): string => html`<input type="hidden" name="_csrf" value="${view.csrf}" />`;

export function alert(text: string): string {
  return text ? html`<p class="alert" role="alert">${text}</p>` : "";
}

export function status(text: string): string {
  return text ? html`<p class="note" role="status">${text}</p>` : "";
}

/** Bars like a voice, drawn: the same on every visit. */
const bars = Array.from({ length: 34 }, (_, index) => {
  const height = 18 + Math.round(Math.abs(Math.sin(index * 0.55) * 62 + Math.sin(index * 1.7) * 28));
  return `<rect x="${index * 12}" y="${(120 - height) / 2}" width="5" height="${height}" rx="2.5"/>`;
}).join("");

export function signInPage(view: View, form: { email: string; next: string; problem: string; note: string }): Page {
  const { t } = view;
  return {
    title: t.signIn,
    frame: "plain",
    main: html`<div class="split">
      <section class="card sign">
        <h1>${t.signIn}</h1>
        <p class="lead">${t.signInLead}</p>
        !${alert(form.problem)}!${status(form.note)}
        <form method="post" action="/login">
          !${field(view)}<input type="hidden" name="next" value="${form.next}" />
          <label for="email">${t.email}</label>
          <input
            id="email"
            name="email"
            type="email"
            autocomplete="username"
            required
            value="${form.email}"
            !${form.email ? "" : "autofocus"}
          />
          <label for="password">${t.password}</label>
          <input id="password" name="password" type="password" autocomplete="current-password" required !${form.email ? "autofocus" : ""} />
          <button class="primary wide" type="submit">${t.signIn}</button>
        </form>
      </section>
      <aside class="aside" aria-hidden="true">
        <svg class="voice" viewBox="0 0 408 120">!${bars}</svg>
        <p class="aside-lead">${t.signInAside}</p>
        <p>${t.signInAsideMore}</p>
      </aside>
    </div>`,
  };
}

export function codePage(view: View, form: { kind: "totp" | "mail"; email: string; problem: string; note: string }): Page {
  const { t } = view;
  const lead = form.kind === "totp" ? t.codeTotpLead : t.codeMailLead(form.email);
  const resend =
    form.kind === "mail"
      ? html`<form method="post" action="/login/code/resend" class="inline">
          !${field(view)}<button class="link" type="submit">${t.codeResend}</button>
        </form>`
      : "";
  return {
    title: t.codeTitle,
    frame: "plain",
    main: html`<section class="card sign narrow">
      <h1>${t.codeTitle}</h1>
      <p class="lead">${lead}</p>
      !${alert(form.problem)}!${status(form.note)}
      <form method="post" action="/login/code">
        !${field(view)}
        <label for="code">${form.kind === "totp" ? t.codeTotp : t.codeMail}</label>
        <input id="code" name="code" class="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required autofocus />
        <button class="primary wide" type="submit">${t.verify}</button>
      </form>
      <div class="below">!${resend}<a href="/login?again=1">${t.backToSignIn}</a></div>
    </section>`,
  };
}

export function signOutPage(view: View): Page {
  return {
    title: view.t.signOut,
    frame: "plain",
    main: html`<section class="card sign narrow">
      <h1>${view.t.signOutTitle}</h1>
      <form method="post" action="/logout">!${field(view)}<button class="primary wide" type="submit">${view.t.signOut}</button></form>
      <div class="below"><a href="/dashboard">${view.t.cancel}</a></div>
    </section>`,
  };
}

export function challengePage(view: View, form: { letters: string; problem: string; next: string }): Page {
  const { t } = view;
  const glyphs = [...form.letters].map(
    (letter, index) =>
      html`<text
        x="${30 + index * 44}"
        y="${60 + ((index * 17) % 14)}"
        transform="rotate(${((index * 53) % 50) - 25} ${30 + index * 44} 55)"
        >${letter}</text
      >`,
  );
  return {
    title: t.challengeTitle,
    frame: "plain",
    main: html`<section class="card sign narrow">
      <h1>${t.challengeTitle}</h1>
      <p class="lead">${t.challengeLead}</p>
      !${alert(form.problem)}
      <svg class="puzzle" viewBox="0 0 280 96" role="img" aria-label="${t.challengePicture}">
        !${glyphs}
        <path d="M0 70 C 60 10, 120 110, 280 30 M0 30 C 90 90, 190 10, 280 74" />
      </svg>
      <form method="post" action="/challenge">
        !${field(view)}<input type="hidden" name="next" value="${form.next}" />
        <label for="letters">${t.challengeLabel}</label>
        <input id="letters" name="letters" autocomplete="off" required autofocus />
        <button class="primary wide" type="submit">${t.continueOn}</button>
      </form>
    </section>`,
  };
}

export function messagePage(view: View, message: { title: string; lead: string }): Page {
  return {
    title: message.title,
    frame: view.session ? "app" : "plain",
    main: html`<section class="empty">
      <h1>${message.title}</h1>
      <p>${message.lead}</p>
      <a class="button" href="/">${view.t.continueOn}</a>
    </section>`,
  };
}
