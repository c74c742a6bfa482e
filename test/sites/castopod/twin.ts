import type { FastifyReply, FastifyRequest } from "fastify";
import { createApp, listen, originOf } from "../twin/app.ts";
import { renderFeed } from "../twin/feed.ts";
import { coverProblem, endingOf, readForm, type Form } from "../twin/form.ts";
import { createMailSink } from "../twin/mail.ts";
import { Members, type Member } from "../twin/members.ts";
import { html } from "../twin/page.ts";
import { Shows, type Episode, type HistoryEntry } from "../twin/shows.ts";
import { Uploads } from "../twin/uploads.ts";
import { renderMarkdown } from "./markdown.ts";
import * as pages from "./pages.ts";

/**
 * Castopod as its open source shows it: addresses, names of fields, two steps (create, then a page of its own to publish), the
 * warning before an empty announcement, a slug that is there once, notes as Markdown.
 */
export interface Castopod {
  origin: string;
  add(member: Member): Member;
  history(): HistoryEntry[];
  drafts(): number;
  close(): Promise<void>;
}

const MAX_NOTES_CHARACTERS = 4000;
const HANDLE = "slow_mornings";

export async function openCastopod(): Promise<Castopod> {
  const app = await createApp(new URL("./assets/", import.meta.url));
  const shows = new Shows();
  const show = shows.addShow("maya", "Slow Mornings");
  const uploads = new Uploads({ processingMs: 0 });
  const members = new Members({ mail: createMailSink(), letter: (code) => ({ from: "", subject: "", text: code }) });
  const slugs = new Map<string, string>();
  const ids: string[] = [];
  const numberOf = ({ id }: Episode): number => ids.indexOf(id) + 1;
  uploads.addListening(app);
  /** A form with its files, which can be listened to from now on. */
  const kept = async (request: FastifyRequest): Promise<Form> => {
    const form = await readForm(request);
    for (const file of Object.values(form.files)) uploads.keep(file);
    return form;
  };
  const episodeOf = (request: FastifyRequest): Episode | null =>
    shows.episode(ids[Number((request.params as { number: string }).number) - 1] ?? "");
  const publicPath = ({ id }: Episode): string => `/@${HANDLE}/episodes/${slugs.get(id)}`;
  const rowOf = (episode: Episode): pages.Row => ({ number: numberOf(episode), link: publicPath(episode), ...episode });
  let message = "";
  const send = (reply: FastifyReply, body: string, alert = ""): FastifyReply => {
    const said = message;
    message = "";
    return reply.type("text/html").send(pages.layout(body, { alert, message: said }));
  };

  app.get("/cp-auth/login", async (_request, reply) => send(reply, pages.login()));
  app.post("/cp-auth/login", async (request, reply) => {
    const { email = "", password = "" } = (await readForm(request)).fields;
    const entrance = await members.enter(reply, email, password);
    if (entrance === "in") return reply.redirect("/cp-admin", 303);
    const locked = entrance === "locked";
    return send(
      reply,
      pages.login(),
      locked ? "Too many requests. Please try again in 60 seconds." : "Unable to log you in. Please check your credentials.",
    );
  });
  app.addHook("preHandler", async (request, reply) => {
    if (request.url.startsWith("/cp-admin") && !members.of(request)) return reply.redirect("/cp-auth/login", 303);
  });
  app.get("/cp-admin", async (_request, reply) => send(reply, html`<h1>Dashboard</h1>`));
  app.get("/cp-admin/podcasts", async (_request, reply) => send(reply, pages.podcasts(show.title, HANDLE)));
  app.get("/cp-admin/podcasts/1/episodes", async (request, reply) => {
    const { q = "" } = request.query as { q?: string };
    const all = [...shows.episodes(show.id, "draft"), ...shows.episodes(show.id, "published")];
    const rows = all.filter((one) => [one.title, one.about, slugs.get(one.id) ?? ""].some((text) => text.includes(q))).map(rowOf);
    return send(reply, pages.list(rows, q));
  });

  const addresses = { new: "/cp-admin/podcasts/1/episodes/new", one: "/cp-admin/podcasts/1/episodes/:number" };
  app.get(addresses.new, async (_request, reply) => send(reply, pages.form(null, HANDLE)));
  app.post(addresses.new, async (request, reply) => {
    const made = await kept(request);
    const { title = "", slug = "", description = "" } = made.fields;
    const audio = made.files["audio_file"];
    const problem = await problemOf(made);
    if (problem || !audio) return send(reply, pages.form(null, HANDLE), problem || "audio_file is not a valid uploaded file.");
    if ([...slugs.values()].includes(slug)) return send(reply, pages.form(null, HANDLE), "An episode with the chosen slug already exists.");
    const episode = shows.create(show.id, { title, about: description, audio, cover: made.files["cover"] ?? null });
    ids.push(episode.id);
    slugs.set(episode.id, slug);
    message = "Episode has been successfully created!";
    return reply.redirect(`/cp-admin/podcasts/1/episodes/${numberOf(episode)}`, 303);
  });
  app.get(addresses.one, async (request, reply) => withEpisode(request, reply, (episode) => send(reply, pages.view(rowOf(episode)))));
  app.get(`${addresses.one}/edit`, async (request, reply) =>
    withEpisode(request, reply, (episode) => send(reply, pages.form(rowOf(episode), HANDLE))),
  );
  app.post(`${addresses.one}/edit`, async (request, reply) => {
    const made = await kept(request);
    const problem = await problemOf(made);
    return withEpisode(request, reply, (episode) => {
      if (problem) return send(reply, pages.form(rowOf(episode), HANDLE), problem);
      const { audio_file: audio = episode.audio, cover = episode.cover } = made.files;
      Object.assign(episode, { title: made.fields["title"], about: made.fields["description"], audio, cover });
      message = "Episode has been successfully updated!";
      return reply.redirect(`/cp-admin/podcasts/1/episodes/${numberOf(episode)}`, 303);
    });
  });
  app.get(`${addresses.one}/publish`, async (request, reply) =>
    withEpisode(request, reply, (episode) =>
      episode.state === "draft" ? send(reply, pages.publish(rowOf(episode))) : send(reply, "", "Episode is already published."),
    ),
  );
  app.post(`${addresses.one}/publish`, async (request, reply) => {
    if ((await readForm(request)).fields["publication_method"] !== "now")
      return send(reply, "", "The publication_method field is required.");
    return withEpisode(request, reply, (episode) => {
      shows.publish(episode);
      message = "Episode successfully published!";
      return reply.redirect(`/cp-admin/podcasts/1/episodes/${numberOf(episode)}`, 303);
    });
  });
  app.get(`${addresses.one}/delete`, async (request, reply) => withEpisode(request, reply, () => send(reply, pages.remove())));
  app.post(`${addresses.one}/delete`, async (request, reply) => {
    const { understand } = (await readForm(request)).fields;
    return withEpisode(request, reply, (episode) => {
      if (understand !== "yes") return send(reply, pages.remove(), "The understand field is required.");
      if (episode.state === "published") return send(reply, pages.remove(), "Please unpublish the episode before deleting it.");
      shows.remove(episode);
      slugs.delete(episode.id);
      return reply.redirect("/cp-admin/podcasts/1/episodes", 303);
    });
  });

  async function withEpisode(
    request: FastifyRequest,
    reply: FastifyReply,
    work: (episode: Episode) => FastifyReply,
  ): Promise<FastifyReply> {
    const episode = episodeOf(request);
    return episode ? work(episode) : reply.code(404).send("Page not found");
  }

  app.get(`/@${HANDLE}/episodes/:slug`, async (request, reply) => {
    const { slug } = request.params as { slug: string };
    const episode = shows.episodes(show.id, "published").find(({ id }) => slugs.get(id) === slug);
    if (!episode) return reply.code(404).type("text/html").send("Page not found");
    return send(
      reply,
      html`<h1>${episode.title}</h1>
        <section class="notes">!${renderMarkdown(episode.about)}</section>`,
    );
  });
  app.get(`/@${HANDLE}/feed.xml`, async (request, reply) => {
    const links = { origin: originOf(request), self: request.url, episode: publicPath };
    const out = shows.episodes(show.id, "published").map((one) => ({ ...one, about: renderMarkdown(one.about) }));
    return reply.type("application/rss+xml").send(renderFeed(show, out, uploads, links));
  });

  const origin = await listen(app);
  return {
    origin,
    add: (member) => members.add(member),
    history: () => shows.history(),
    drafts: () => shows.episodes(show.id, "draft").length,
    close: async () => app.close(),
  };
}

/** Why a form is refused; "" when it is taken. */
async function problemOf({ fields, files }: Form): Promise<string> {
  const { title = "", slug = "", description = "" } = fields;
  const { audio_file: audio, cover } = files;
  if (title.trim() === "") return "The title field is required.";
  if (slug === "" || slug.length > 128) return "The slug field is required, with at most 128 characters.";
  if (description.length > MAX_NOTES_CHARACTERS) return `The show notes can't exceed ${MAX_NOTES_CHARACTERS} characters.`;
  if (audio && !["mp3", "m4a"].includes(endingOf(audio))) return "audio_file does not have a valid file extension.";
  const wrong = cover && (await coverProblem(cover, { minPixels: 1400, maxPixels: 3000 }));
  return wrong ? `cover is ${wrong}.` : "";
}
