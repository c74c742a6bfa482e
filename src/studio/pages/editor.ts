import { html } from "ghtml";
import type { EpisodeRow } from "../episodes.ts";
import type { ShowsTable } from "../schema.ts";
import { thumbOf } from "../media/names.ts";
import { formatLength, formatTime, type View } from "../view.ts";
import type { Page } from "./frame.ts";
import { showHeader } from "./shows.ts";

export interface EditorInput {
  show: ShowsTable;
  showCover: string | null;
  /** null: a new one. */
  episode: EpisodeRow | null;
  link: string;
}

function upload(view: View, kind: "audio" | "cover", episode: EpisodeRow | null): string {
  const { t } = view;
  const audio = kind === "audio";
  const guid = (audio ? episode?.audio : episode?.cover) ?? "";
  const kept = audio && !view.edges.marker ? null : audio ? episode?.audioFile : episode?.coverFile;
  const file = kept ?? "";
  const state = audio ? (episode?.audioState ?? "") : guid ? "ready" : "";
  const said = state === "ready" ? (audio ? t.audioReady : t.coverReady) : state === "processing" ? t.processingAudio : "";
  const picture =
    !audio && episode?.coverPath && !/^https?:/.test(episode.coverPath)
      ? html`<img class="thumb huge" data-preview src="/media/${thumbOf(episode.coverPath)}" alt="" />`
      : audio
        ? ""
        : html`<img class="thumb huge" data-preview alt="" hidden />`;
  const facts = audio && episode?.audioSeconds ? formatLength(episode.audioSeconds) : "";
  return html`<section class="card side upload" data-upload="${kind}" data-asset="${guid}" data-state="${state}">
    <label class="h3" for="${kind}">${audio ? t.audio : t.cover}</label>
    !${picture}
    <div class="drop">
      <input
        id="${kind}"
        type="file"
        accept="${audio ? ".mp3,.m4a,.wav,audio/mpeg,audio/mp4,audio/wav" : "image/jpeg,image/png"}"
        aria-describedby="${kind}-hint"
      />
    </div>
    <p class="file-line"><span data-file>${file}</span> <span class="dim" data-facts>${facts}</span></p>
    <div class="progress" role="progressbar" aria-label="${t.uploading}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0" hidden>
      <span></span>
    </div>
    <p class="upload-status ${state}" role="status">${said}</p>
    <p class="hint" id="${kind}-hint">${audio ? t.audioHint : t.coverHint}</p>
  </section>`;
}

/** Words that the script shows: it has none of its own. */
function scriptTexts(view: View): string {
  const { t } = view;
  const words = {
    uploading: t.uploading,
    processingAudio: t.processingAudio,
    audioReady: t.audioReady,
    coverReady: t.coverReady,
    uploadFailed: t.uploadFailed,
    draftSaved: t.draftSaved,
    changesSaved: t.changesSaved,
    saving: t.saving,
    publishing: t.publishing,
    networkTrouble: t.networkTrouble,
    studioTrouble: t.studioTrouble,
    uploadUnanswered: t.uploadUnanswered,
    descriptionPlaceholder: t.descriptionPlaceholder,
    description: t.description,
  };
  return JSON.stringify(words);
}

export function editorPage(view: View, { show, showCover, episode, link }: EditorInput): Page {
  const { t } = view;
  const published = episode?.state === "published";
  const scheduled = episode?.state === "scheduled";
  const label = view.edges.changedLabel || t.publish;
  // What has no drafts is published as it stands in the form; what is out can be changed.
  const direct = view.edges.tier !== "drafts" && !episode;
  const base = `/shows/${show.name}/episodes`;
  const note = published
    ? html`<section class="banner success" id="out">
        <h2>${t.published}</h2>
        <p>${t.publishedLead}</p>
        <a class="button" href="${link}">${t.publicPage}</a>
      </section>`
    : scheduled
      ? html`<section class="banner info">
          <p>${t.scheduledFor(formatTime(view, episode.publish_at))}</p>
          <button type="button" class="small" data-unschedule>${t.unschedule}</button>
        </section>`
      : "";
  return {
    title: episode ? episode.title || t.untitled : t.newEpisode,
    frame: "app",
    styles: ["quill/quill.snow.css"],
    scripts: ["quill/quill.js", "editor.js"],
    main: html`!${showHeader(view, show, showCover, null)}
      <div
        id="editor"
        class="editor"
        data-base="${base}"
        data-show="${show.name}"
        data-guid="${episode?.guid ?? ""}"
        data-state="${episode?.state ?? "draft"}"
        !${direct ? "data-direct" : ""}
        data-texts="${scriptTexts(view)}"
      >
        <template id="published-banner"
          ><section class="banner success" id="out">
            <h2 tabindex="-1">${t.published}</h2>
            <p>${t.publishedLead}</p>
            <a class="button">${t.publicPage}</a>
          </section></template
        >
        <div class="bar">
          <h1>${episode ? t.editEpisode : t.newEpisode}</h1>
          <a href="${base}">${t.backToEpisodes}</a>
        </div>
        <div data-banner>!${note}</div>
        <div class="columns">
          <div class="card form">
            <div class="label-line"><label for="title">${t.title}</label><span class="hint" data-count aria-hidden="true"></span></div>
            <input
              id="title"
              class="big"
              name="title"
              autocomplete="off"
              placeholder="${t.titlePlaceholder}"
              value="${episode?.title ?? ""}"
            />
            <span class="label" id="about-label">${t.description}</span>
            <div class="rich"><div id="about"></div></div>
            <template id="about-start">!${episode?.about_html ?? ""}</template>
            <label class="check"
              ><input type="checkbox" id="machine-voice" !${episode?.machine_voice ? "checked" : ""} />
              <span>${t.machineVoice}</span></label
            >
            <p class="hint under-check">${t.machineVoiceHint}</p>
          </div>
          <div class="sides">!${upload(view, "audio", episode)}!${upload(view, "cover", episode)}</div>
        </div>
        <div class="dock">
          <p class="dock-status" role="status" data-saved></p>
          <p class="alert" role="alert" data-problem hidden></p>
          <p class="alert outage" role="alert" data-outage hidden></p>
          <div class="actions">
            !${published || direct ? "" : html`<button type="button" class="danger quiet" data-delete !${episode ? "" : "hidden"}>${t.deleteDraft}</button>`}
            !${direct ? "" : html`<button type="button" data-save>${published || scheduled ? t.saveChanges : t.saveDraft}</button>`}
            !${published || direct ? "" : html`<button type="button" data-schedule>${t.schedule}</button>`}
            !${published ? "" : html`<button type="button" class="primary" data-publish>${label}</button>`}
          </div>
        </div>
        <dialog id="publish-dialog" aria-labelledby="publish-title">
          <h2 id="publish-title">${t.publishQuestion}</h2>
          <p>${t.publishLead}</p>
          <div class="actions">
            <button type="button" data-close>${t.cancel}</button
            ><button type="button" class="primary" data-publish-now>
              ${view.edges.changedLabel ? t.publishNow(label) : t.publishNow(t.publish)}
            </button>
          </div>
        </dialog>
        <dialog id="schedule-dialog" aria-labelledby="schedule-title">
          <h2 id="schedule-title">${t.scheduleTitle}</h2>
          <label for="publish-at">${t.publishAt}</label><input id="publish-at" type="datetime-local" />
          <p class="hint">${t.scheduleZone(view.timeZone)}</p>
          <p class="alert" role="alert" data-schedule-problem hidden></p>
          <p class="alert outage" role="alert" data-schedule-outage hidden></p>
          <div class="actions">
            <button type="button" data-close>${t.cancel}</button
            ><button type="button" class="primary" data-schedule-now>${t.schedule}</button>
          </div>
        </dialog>
        <dialog id="delete-dialog" aria-labelledby="delete-title">
          <h2 id="delete-title">${t.deleteQuestion}</h2>
          <p>${t.deleteLead}</p>
          <div class="actions">
            <button type="button" data-close>${t.cancel}</button><button type="button" class="danger" data-delete-now>${t.delete}</button>
          </div>
        </dialog>
      </div>`,
  };
}
