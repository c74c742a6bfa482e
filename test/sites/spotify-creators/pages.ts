import { html, page } from "../twin/page.ts";
import type { Episode, Show } from "../twin/shows.ts";

/** A page, once it is known whether the cookie banner lies over it. */
export type Make = (banner: boolean) => string;

interface Parts {
  title: string;
  body: string;
  scripts?: readonly string[];
  mounted?: boolean;
}

function make({ title, body, scripts = [], mounted = false }: Parts): Make {
  return (banner) =>
    page({
      lang: "en",
      title: `${title} - Spotify for Creators`,
      scripts: [...scripts, ...(banner ? ["/site/assets/banner.js"] : [])],
      mounted,
      body,
    });
}

export function door(): Make {
  return make({
    title: "Log in",
    body: html`<h1>All the tools to grow your show</h1>
      <form action="/en/login">
        <button><span>Continue with Spotify</span></button>
      </form>`,
  });
}

export function username(problem: string): Make {
  return make({
    title: "Log in",
    body: html`<h1>Log in to Spotify</h1>
      !${problem ? html`<div role="alert">Oops! Something went wrong, please try again.</div>` : ""}
      <form method="post" action="/en/login">
        <label>Email or username <input name="email" data-testid="login-username" /></label>
        <button data-testid="login-button">Continue</button>
      </form>`,
  });
}

export function code(email: string, wrong: boolean): Make {
  return make({
    title: "Log in",
    scripts: ["/site/assets/code.js"],
    mounted: true,
    body: html`<h1>Enter the 6-digit code sent to you at ${email}</h1>
      !${wrong ? html`<div role="alert">This code is incorrect or has expired.</div>` : ""}
      <form method="post" action="/en/login/code" id="code">
        !${Array.from({ length: 6 }, (_, at) => html`<input size="1" maxlength="1" inputmode="numeric" aria-label="Digit ${String(at + 1)}" />`)}
        <input type="hidden" name="code" />
        <button>Log in</button>
      </form>
      <form method="post" action="/en/login/instead">
        <input type="hidden" name="email" value="${email}" />
        <button>Log in with a password</button>
      </form>`,
  });
}

const wrongs: Readonly<Record<string, string>> = {
  wrong: "Incorrect username or password.",
  locked: "Too many attempts. Try again later.",
};

export function password(email: string, problem: string): Make {
  return make({
    title: "Log in",
    body: html`<h1>Log in to Spotify</h1>
      !${wrongs[problem] ? html`<div role="alert">${wrongs[problem]}</div>` : ""}
      <form method="post" action="/en/login/password">
        <input type="hidden" name="email" value="${email}" />
        <label>Password <input type="password" id="password" name="password" /></label>
        <button data-testid="login-button">Log in</button>
      </form>`,
  });
}

export function challenge(): Make {
  return make({ title: "Challenge", body: html`<h1>We need to make sure that you're a human</h1>` });
}

export function notFound(): Make {
  return make({ title: "Not found", body: html`<h1>Page not found</h1>` });
}

/** The rows come from a call of their own, a moment later; the filter stands in the address. */
export function episodes(show: Show): Make {
  return make({
    title: "Episodes",
    scripts: ["/site/assets/episodes.js"],
    mounted: true,
    body: html`<nav><a href="/pod/show/${show.id}/podcast/distribution">Settings</a></nav>
      <h1>Episodes</h1>
      <button type="button" id="new">New episode</button>
      <input type="search" placeholder="Search episode titles" />
      <ul id="rows" data-show="${show.id}"></ul>
      <div role="dialog" aria-label="Delete episode" id="sure" hidden>
        <p>Delete this episode?</p>
        <button type="button" id="yes">Yes, delete this episode</button> <button type="button" id="no">Cancel</button>
      </div>`,
  });
}

/** Upload, details, review. It is left by Close, and what was not saved by then stays behind as an "Untitled" draft. */
export function wizard(show: Show, episode: Episode | null): Make {
  const saved = episode !== null && episode.title !== "Untitled";
  return make({
    title: "Create episode",
    scripts: ["/site/assets/wizard.js"],
    mounted: true,
    body: html`<header>
        <h1><div>Create episode</div></h1>
        <button type="button" aria-label="Close" id="close">×</button>
      </header>
      <main id="wizard" data-show="${show.id}" data-id="${episode?.id ?? ""}" data-audio="${episode?.audio ? "yes" : ""}">
        <section id="details">
          <div data-testid="uploadAreaWrapper">
            <button type="button"><span>Select a file</span></button>
            <input type="file" id="audio" accept="audio/*,video/*" />
            <span id="upload-state">${episode?.audio ? "Preview ready!" : ""}</span>
          </div>
          <label for="title-input">Title (required)</label>
          <input type="text" id="title-input" value="${saved ? episode.title : ""}" />
          <p id="description-label">Description (required)</p>
          <div role="textbox" name="description" contenteditable="true" aria-labelledby="description-label" id="description">
            !${episode?.about ?? ""}
          </div>
          <p>Episode art <input type="file" id="art" accept="image/*" /></p>
        </section>
        <section id="review" hidden>
          <h2>Publish date</h2>
          <label><input type="radio" name="when" id="publish-date-now" /> Now</label>
          <label><input type="radio" name="when" id="publish-date-schedule" /> Schedule</label>
        </section>
        <footer data-testid="dialog-footer">
          <button type="button" id="next" disabled><span>Next</span></button>
          <button type="button" id="publish" hidden disabled><span>Publish</span></button>
        </footer>
        <p role="status" id="said"></p>
      </main>
      <div role="dialog" data-encore-id="dialogConfirmation" aria-label="Episode art" id="crop" hidden>
        <label>Zoom <input type="range" /></label>
        <button type="button" id="crop-save"><span>Save</span></button>
      </div>
      <div role="dialog" aria-label="Save your episode?" id="leave" hidden>
        <button type="button" id="save"><span>Save draft</span></button>
        <button type="button" id="throw"><span>Discard changes</span></button>
      </div>
      <div role="dialog" aria-label="Episode published!" id="done" hidden>
        <p>Episode published!</p>
        <button type="button" id="finish"><span>Done</span></button>
      </div>`,
  });
}

export function availability(show: Show, origin: string): Make {
  return make({
    title: "Availability",
    body: html`<h1>Settings</h1>
      <h2>Availability</h2>
      <p>RSS feed</p>
      <p>${origin}/s/${show.id}/podcast/rss</p>
      <p>${show.feedEmail ? `Email in feed: ${show.feedEmail}` : "Add email to RSS feed"}</p>`,
  });
}
