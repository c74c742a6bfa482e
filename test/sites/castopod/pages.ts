import { html, page } from "../twin/page.ts";
import type { Episode } from "../twin/shows.ts";

export interface Row extends Pick<Episode, "title" | "about" | "state"> {
  number: number;
  /** Its public page. */
  link: string;
}

const base = "/cp-admin/podcasts/1/episodes";

/** Messages stand above the content, outside of every form. */
export function layout(body: string, { alert, message }: { alert: string; message: string }): string {
  return page({
    lang: "en",
    title: "Castopod",
    scripts: ["/site/assets/castopod.js"],
    body: html`<main>
      <div>
        !${message ? html`<div role="alert" class="bg-pine-100"><p>${message}</p></div>` : ""}
        !${alert ? html`<div role="alert" class="bg-red-100"><p>${alert}</p></div>` : ""} !${body}
      </div>
    </main>`,
  });
}

export function login(): string {
  return html`<form method="POST">
    <label for="email">Email Address</label><input id="email" name="email" type="email" /> <label for="password">Password</label
    ><input id="password" name="password" type="password" />
    <button type="submit">Login</button>
  </form>`;
}

export function podcasts(title: string, handle: string): string {
  return html`<h1>All podcasts (1)</h1>
    <article>
      <a href="/cp-admin/podcasts/1"
        ><h2>${title}</h2>
        <p>@${handle}</p></a
      >
    </article>`;
}

export function list(rows: readonly Row[], query: string): string {
  return html`<h1>All podcast episodes</h1>
    <form><input name="q" placeholder="Search for an episode" value="${query}" /></form>
    <table>
      !${rows.map(
        ({ number, title, link, state }) =>
          html`<tr>
            <td><a href="${base}/${number}">${title}</a></td>
            <td>${state === "published" ? "Published" : "Not published"}</td>
            <td>
              <nav hidden>
                <a href="${link}">Go to page</a>
                !${state === "draft" ? html`<a href="${base}/${number}/delete">Delete</a>` : html`<span>Delete</span>`}
              </nav>
            </td>
          </tr>`,
      )}
    </table>`;
}

/** @param row null: a new one. The edit page has the slug twice, the first one empty, as in the source. */
export function form(row: Row | null, handle: string): string {
  const slug = row?.link.split("/").at(-1) ?? "";
  const slugInput = (value: string): string => html`<input name="slug" data-slugify="slug" value="${value}" />`;
  const button = html`<button type="submit" !${row ? html`form="episode-edit-form"` : ""}>
    ${row ? "Save episode" : "Create episode"}
  </button>`;
  return html`!${row ? button : banner}
    <form !${row ? html`id="episode-edit-form"` : ""} method="POST" enctype="multipart/form-data">
      <label for="audio_file">Audio file</label><input id="audio_file" name="audio_file" type="file" accept=".mp3,.m4a" />
      <label for="cover">Episode cover <small>(optional)</small></label
      ><input id="cover" name="cover" type="file" accept=".jpg,.jpeg,.png" /> <label for="title">Title</label
      ><input id="title" name="title" data-slugify="title" value="${row?.title ?? ""}" />
      <span>…/@${handle}/</span> !${row ? slugInput("") : ""} !${slugInput(slug)}
      <fieldset>
        <input type="radio" name="parental_advisory" value="undefined" checked />undefined
        <input type="radio" name="parental_advisory" value="clean" />Clean
      </fieldset>
      <label for="description">Description</label><textarea id="description" name="description" rows="6">${row?.about ?? ""}</textarea>
      !${row ? "" : button}
    </form>`;
}

const banner = html`<div role="alert"><p>draft mode: This podcast is not yet published.</p></div>`;

export function view({ number, title, link, state }: Row): string {
  return state === "published"
    ? html`<h1>${title}</h1>
        <a href="${link}">Go to page</a> <a href="${base}/${number}/unpublish">Unpublish</a>`
    : html`<h1>${title}</h1>
        <div role="alert">This episode is not yet published.</div>
        <a href="${base}/${number}/publish">Publish</a>`;
}

export function publish({ title }: Row): string {
  return html`<h1>Publish</h1>
    <form method="POST" data-submit="validate-message">
      <label for="message">Your announcement post</label><textarea id="message" name="message" placeholder="Write your message…"></textarea>
      <p>${title}</p>
      <input type="radio" name="publication_method" value="now" checked />Now
      <input type="radio" name="publication_method" value="schedule" />Schedule
      <div id="publish-warning" role="alert" hidden>You did not write a message for your announcement post!</div>
      <a href="./publish-cancel">Cancel publication</a> <button type="submit">Publish</button>
    </form>`;
}

export function remove(): string {
  return html`<h1>Delete</h1>
    <form method="POST">
      <div role="alert" class="bg-red-100">
        Deleting the episode will delete all media files, comments, video clips and soundbites associated with it.
      </div>
      <label><input type="checkbox" name="understand" value="yes" /> I understand, I want to delete the episode</label>
      <button type="submit">Delete</button>
    </form>`;
}
