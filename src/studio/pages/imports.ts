import { html } from "ghtml";
import type { Imported, ImportState } from "../imports.ts";
import type { View } from "../view.ts";
import type { Page } from "./frame.ts";
import { alert, status } from "./sign-in.ts";

const field = (view: View): string => html`<input type="hidden" name="_csrf" value="${view.csrf}" />`;

export function importPage(view: View, form: { feed: string; problem: string }, imported: readonly Imported[]): Page {
  const { t } = view;
  const rows = imported.map(({ title, feed, link }) => html`<li><a href="${link}">${title}</a> <span class="dim">${feed}</span></li>`);
  return {
    title: t.importShow,
    frame: "app",
    main: html`<h1>${t.importShow}</h1>
      <p class="lead">${t.importLead}</p>
      <div class="import">
        !${alert(form.problem)}
        <form class="card form" method="post" action="/import">
          !${field(view)}<label for="feed">${t.importFeed}</label>
          <input id="feed" name="feed" type="url" required autofocus value="${form.feed}" />
          <div class="actions">
            <button class="primary" type="submit">${t.importContinue}</button><a class="button" href="/dashboard">${t.cancel}</a>
          </div>
        </form>
      </div>
      !${
        rows.length > 0
          ? html`<section class="card">
              <h2>${t.importedShows}</h2>
              <ul class="plain">
                !${rows}
              </ul>
            </section>`
          : ""
      }`,
  };
}

/** One import, at its step: the code, the last button, or what has come of it. */
export function importStepPage(view: View, row: ImportState, problem: string): Page {
  const main = { asked: codeStep, verified: confirmStep, done: doneStep }[row.state](view, row);
  return {
    title: `${view.t.importShow} · ${row.title}`,
    frame: "app",
    scripts: ["import.js"],
    main: html`<div class="import">
      <p class="dim">${row.feed_url}</p>
      <p class="alert" role="alert" !${problem ? "" : "hidden"}>${problem}</p>
      !${main}
    </div>`,
  };
}

function codeStep(view: View, row: ImportState): string {
  const { t } = view;
  return html`<h1>${t.importCodeTitle}</h1>
    <p class="lead">${t.importCodeLead(row.owner_email)}</p>
    <form class="card form" method="post" action="/import/${row.guid}/code">
      !${field(view)}<label for="code">${t.importCode}</label>
      <input id="code" name="code" class="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required autofocus />
      <div class="actions"><button class="primary" type="submit">${t.verify}</button></div>
    </form>`;
}

function confirmStep(view: View, row: ImportState): string {
  const { t } = view;
  return html`<h1>${row.title}</h1>
    !${status(t.importVerified)}
    <p class="lead">${t.importConfirmLead(t.episodesCount(row.episodes.length))}</p>
    <div class="actions">
      <button class="primary" type="button" data-confirm="/import/${row.guid}/confirm">${t.importConfirm}</button
      ><a class="button" href="/dashboard">${t.cancel}</a>
    </div>`;
}

function doneStep(view: View, row: ImportState): string {
  const { t } = view;
  const copied = row.episodes.filter(({ state }) => state === "done").length;
  const failed = row.episodes.filter(({ state }) => state === "failed").map(({ title }) => title);
  return html`<h1>${t.importDone}</h1>
    <p class="lead">${t.importDoneLead}</p>
    <p>${t.importCopied(copied, row.episodes.length)}</p>
    !${failed.length > 0 ? alert(t.importGivenUp(failed.join(", "))) : ""}
    <a class="button primary" href="${row.link}">${t.showPage}</a>`;
}
