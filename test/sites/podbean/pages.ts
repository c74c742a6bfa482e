import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { originOf } from "../twin/app.ts";
import { renderFeed } from "../twin/feed.ts";
import { readForm } from "../twin/form.ts";
import type { Entrance } from "../twin/members.ts";
import { html, page } from "../twin/page.ts";
import type { Episode } from "../twin/shows.ts";
import { isCodeOf, problemOf, SLUG, type PodbeanMember, type Site } from "./site.ts";

const refusals: Partial<Record<Entrance, string>> = {
  wrong: "Incorrect email or password.",
  locked: "Too many failed attempts. Please try again later.",
};

/** The web studio: its words are public only as far as "New Episode", "draft", "schedule" and "Settings > Feed". */
export function addPages(app: FastifyInstance, site: Site): void {
  const { members, shows, show, uploads } = site;

  app.get("/login", async (request, reply) => (members.of(request) ? reply.redirect("/dashboard") : send(reply, "Log in", login(""))));
  app.post("/login", async (request, reply) => {
    const { email = "", password = "" } = (await readForm(request)).fields;
    const member: PodbeanMember | null = members.find(email);
    const entrance = await members.enter(reply, email, password);
    if (refusals[entrance]) return send(reply, "Log in", login(refusals[entrance]));
    const asks = entrance === "in" && member?.totpSecret;
    if (asks) members.open(reply, member, "code");
    return reply.redirect(entrance === "code" || asks ? "/login/code" : "/dashboard", 303);
  });
  app.get("/login/code", async (request, reply) => {
    const member: PodbeanMember | null = members.owing(request);
    return member ? send(reply, "Verify", codeForm(member, "")) : reply.redirect("/login");
  });
  app.post("/login/code", async (request, reply) => {
    const member: PodbeanMember | null = members.owing(request);
    if (!member) return reply.redirect("/login", 303);
    const { code = "" } = (await readForm(request)).fields;
    const right = member.totpSecret ? isCodeOf(member.totpSecret, code) : members.takeCode(member, code);
    if (!right) return send(reply, "Verify", codeForm(member, "The code is incorrect."));
    members.open(reply, member, "in");
    return reply.redirect("/dashboard", 303);
  });

  app.addHook("preHandler", async (request, reply) => {
    if (!/^\/(dashboard|episodes?|settings|api)(\/|$)/.test(request.url.split("?", 1)[0] ?? "") || members.of(request)) return;
    return request.url.startsWith("/api/") ? reply.code(401).send({ message: "signed out" }) : reply.redirect("/login");
  });
  app.get("/dashboard", async (_request, reply) =>
    send(
      reply,
      "Dashboard",
      html`!${nav}
        <h1>Dashboard</h1>`,
    ),
  );
  app.get("/settings", async (_request, reply) =>
    send(
      reply,
      "Settings",
      html`!${nav}
        <h1>Settings</h1>
        <a href="/settings/general">General</a> <a href="/settings/feed">Feed</a>`,
    ),
  );
  app.get("/settings/feed", async (request, reply) =>
    send(reply, "Feed", html`!${nav}<label>RSS feed <input readonly value="${originOf(request)}${SLUG}/feed.xml" /></label>`),
  );
  app.get("/episode/drafts", async (_request, reply) => {
    const rows = shows.episodes(show.id, "draft").map(({ id, title }) => html`<li><a href="/episode/edit/${id}">${title}</a></li>`);
    return send(
      reply,
      "Drafts",
      html`!${nav}
        <h1>Drafts</h1>
        <ul>
          !${rows}
        </ul>`,
    );
  });
  app.get("/episode/new", async (_request, reply) => send(reply, "New Episode", editor(null), ["/site/assets/editor.js"]));
  app.get("/episode/edit/:id", async (request, reply) => {
    const episode = shows.episode(idOf(request));
    return episode ? send(reply, "Edit", editor(episode), ["/site/assets/editor.js"]) : reply.code(404).send("no such episode");
  });

  app.post("/api/drafts", async (request, reply) => {
    const body = request.body as Record<"id" | "title" | "about" | "audio" | "cover", string>;
    const { title, about } = body;
    const made = { title, about, audio: uploads.get(body.audio), cover: uploads.get(body.cover) };
    const problem = await problemOf(made);
    if (problem) return reply.code(422).send({ message: problem });
    const kept = shows.episode(body.id);
    if (kept) return reply.send({ id: Object.assign(kept, made).id });
    return reply.send({ id: shows.create(show.id, made).id });
  });
  app.post("/api/drafts/:id/delete", async (request, reply) => {
    const episode = shows.episode(idOf(request));
    if (episode?.state === "draft") shows.remove(episode);
    return reply.send({});
  });
  app.post("/episodes/:id", async (request, reply) => {
    const episode = shows.episode(idOf(request));
    if (!episode?.audio || (await readForm(request)).fields["status"] !== "publish")
      return reply.code(422).send({ message: "The episode needs an audio file." });
    shows.publish(episode);
    return reply.send({ link: site.link(episode) });
  });

  app.get(SLUG, async (_request, reply) =>
    reply
      .type("text/html")
      .send(
        `<!doctype html><link rel="alternate" type="application/rss+xml" title="Feed" href="${SLUG}/feed.xml"><title>${show.title}</title>`,
      ),
  );
  app.get(`${SLUG}/e/:id`, async (request, reply) => {
    const episode = shows.episode(idOf(request));
    if (episode?.state !== "published") return reply.code(404).send();
    return send(
      reply,
      episode.title,
      html`<h1>${episode.title}</h1>
        <div class="e-description">!${episode.about}</div>`,
    );
  });
  app.get(`${SLUG}/feed.xml`, async (request, reply) => {
    const links = { origin: originOf(request), self: request.url, episode: site.link };
    return reply.type("application/rss+xml").send(renderFeed(show, shows.episodes(show.id, "published"), uploads, links));
  });
}

const nav = html`<nav><a href="/episode/new">New Episode</a> <a href="/episode/drafts">Drafts</a> <a href="/settings">Settings</a></nav>`;

function send(reply: FastifyReply, title: string, body: string, scripts: string[] = []): FastifyReply {
  return reply.type("text/html").send(page({ lang: "en", title: `${title} | Podbean`, body, scripts, mounted: scripts.length > 0 }));
}

function login(alert: string): string {
  return html`<h1>Log in</h1>
    <p role="alert">${alert}</p>
    <form method="post">
      <label>Email <input name="email" type="email" /></label> <label>Password <input name="password" type="password" /></label>
      <button>Log in</button>
    </form>`;
}

function codeForm({ totpSecret }: PodbeanMember, alert: string): string {
  const asks = totpSecret ? "Enter the code that your authenticator app shows." : "We have sent a code to your email.";
  return html`<h1>Two-step verification</h1>
    <p>${asks}</p>
    <p role="alert">${alert}</p>
    <form method="post">
      <label>Verification code <input name="code" inputmode="numeric" /></label>
      <button>Verify</button>
    </form>`;
}

function editor(episode: Episode | null): string {
  const { id = "", title = "", about = "", audio = null, cover = null } = episode ?? {};
  return html`!${nav}
    <main class="editor" data-id="${id}" data-audio="${audio?.id ?? ""}" data-cover="${cover?.id ?? ""}">
      <label>Title <input id="title" value="${title}" /></label>
      <div id="about" role="textbox" aria-label="Description" contenteditable="true">!${about}</div>
      <label>Audio file <input id="audio" type="file" accept=".mp3,.m4a" /></label> <span id="audio-state">${audio?.name ?? ""}</span>
      <label>Episode image <input id="cover" type="file" accept=".jpg,.png" /></label> <span id="cover-state">${cover?.name ?? ""}</span>
      <button id="save">Save as draft</button> <button id="schedule">Schedule</button> <button id="publish">Publish</button>
      <button id="delete">Delete draft</button>
      <p id="said" role="status"></p>
      <div id="sure" role="dialog" aria-label="Delete this draft?" hidden><button>Delete</button></div>
    </main>`;
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id;
}
