import type { FastifyReply, FastifyRequest } from "fastify";
import { createApp, listen, originOf } from "../twin/app.ts";
import { renderFeed } from "../twin/feed.ts";
import type { Mail } from "../twin/mail.ts";
import { addLostAnswers, type LostAnswers } from "../twin/lost-answers.ts";
import { Members } from "../twin/members.ts";
import { Shows, type Episode, type Show } from "../twin/shows.ts";
import { Uploads } from "../twin/uploads.ts";
import * as pages from "./pages.ts";

/** A twin of Spotify for Creators, built from public descriptions: what they don't say is a likely guess. */
export interface SpotifyCreators {
  origin: string;
  members: Members;
  shows: Shows;
  lostAnswers: LostAnswers;
  /** Live: counts from the next request on. */
  edges: {
    /** The banner that asks about cookies, over every page until it is answered. */
    cookieBanner: boolean;
    /** "Oops! Something went wrong" in place of a sign-in. */
    oops: boolean;
  };
  /** Somebody with a show. */
  join(member: { email: string; password: string; mailedCode?: boolean; suspicious?: boolean }, show: string): Show;
  close(): Promise<void>;
}

interface Update {
  title?: string;
  description?: string;
  isPublished?: boolean;
  image?: string;
}

export const SENDER = "no-reply@spotify.com";
const UNTITLED = "Untitled";

export async function openSpotifyCreators({ mail, processingMs = 150 }: { mail: Mail; processingMs?: number }): Promise<SpotifyCreators> {
  const members = new Members({
    mail,
    letter: (code) => ({
      from: SENDER,
      subject: `${code} is your Spotify login code`,
      text: "Enter it on the page where you asked for it.",
    }),
  });
  const shows = new Shows();
  const uploads = new Uploads({ processingMs });
  const edges = { cookieBanner: false, oops: false };
  const app = await createApp(new URL("./assets/", import.meta.url));
  const lostAnswers = addLostAnswers(app, shows);
  uploads.addRoutes(app, (request) => members.of(request) !== null);

  const send = (request: FastifyRequest, reply: FastifyReply, make: pages.Make, status = 200): FastifyReply => {
    const banner = edges.cookieBanner && !request.cookies["OptanonAlertBoxClosed"];
    return reply.code(status).type("text/html; charset=utf-8").send(make(banner));
  };

  app.get("/pod/login", async (request, reply) => send(request, reply, pages.door()));
  app.get("/en/login", async (request, reply) => send(request, reply, pages.username("")));
  // Where a code is asked for, it is mailed before any password was given.
  app.post("/en/login", async (request, reply) => {
    const { email = "" } = request.body as { email?: string };
    if (edges.oops) return send(request, reply, pages.username("oops"), 500);
    const member = members.find(email);
    if (!member?.mailedCode) return send(request, reply, pages.password(email, ""));
    await members.mailCode(member);
    members.open(reply, member, "code");
    return send(request, reply, pages.code(email, false));
  });
  app.post("/en/login/code", async (request, reply) => {
    const { code = "" } = request.body as { code?: string };
    const member = members.owing(request);
    if (!member) return reply.redirect("/en/login");
    if (!members.takeCode(member, code)) return send(request, reply, pages.code(member.email, true), 401);
    members.open(reply, member, "in");
    return reply.redirect(home(member.email));
  });
  app.post("/en/login/instead", async (request, reply) =>
    send(request, reply, pages.password((request.body as { email?: string }).email ?? "", "")),
  );
  app.post("/en/login/password", async (request, reply) => {
    const { email = "", password = "" } = request.body as Record<string, string>;
    // The code is one way in, the password another: nobody is asked for both.
    const entrance = await members.enter(reply, email, password, { codeToo: false });
    if (entrance === "in") return reply.redirect(home(email));
    if (entrance === "challenge") return send(request, reply, pages.challenge(), 403);
    return send(request, reply, pages.password(email, entrance), entrance === "wrong" ? 401 : 429);
  });

  const home = (email: string): string => `/pod/show/${shows.ofOwner(email)[0]?.id ?? "none"}/episodes`;
  const showOf = (request: FastifyRequest): Show | null => {
    const { show = "" } = request.params as { show?: string };
    return shows.ofOwner(members.of(request)?.email ?? "").find(({ id }) => id === show) ?? null;
  };
  const own = (request: FastifyRequest): Episode | null => {
    const episode = shows.episode((request.params as { id: string }).id);
    const mine = shows.ofOwner(members.of(request)?.email ?? "");
    return episode && mine.some(({ id }) => id === episode.showId) ? episode : null;
  };
  const pageOf = (make: (show: Show, request: FastifyRequest) => pages.Make) => async (request: FastifyRequest, reply: FastifyReply) => {
    const show = showOf(request);
    return show ? send(request, reply, make(show, request)) : send(request, reply, pages.notFound(), 404);
  };

  void app.register(async (inside) => {
    inside.addHook("onRequest", members.guard("/pod/login"));
    inside.get("/pod/show/:show/episodes", pageOf(pages.episodes));
    inside.get(
      "/pod/show/:show/episode/wizard",
      pageOf((show) => pages.wizard(show, null)),
    );
    for (const step of ["wizard", "details"])
      inside.get(
        `/pod/show/:show/episode/:id/${step}`,
        pageOf((show, request) => {
          const episode = own(request);
          return episode ? pages.wizard(show, episode) : pages.notFound();
        }),
      );
    inside.get(
      "/pod/show/:show/podcast/distribution",
      pageOf((show, request) => pages.availability(show, originOf(request))),
    );

    inside.get("/v3/stations/:show/episodes", async (request, reply) => {
      const show = showOf(request);
      if (!show) return reply.code(404).send({ message: "no such show" });
      const { filter } = request.query as { filter?: string };
      const [drafts, published] = [shows.episodes(show.id, "draft"), shows.episodes(show.id, "published")];
      const rows = filter === "DRAFT_EPISODES" ? drafts : [...drafts, ...published];
      return { episodes: rows.map(({ id, title, state }) => ({ id, title, state })) };
    });
    // The first thing that a wizard does: from here on there is a draft, whatever becomes of it.
    inside.post("/v3/stations/:show/episodes", async (request, reply) => {
      const show = showOf(request);
      if (!show) return reply.code(404).send({ message: "no such show" });
      return { episodeId: shows.create(show.id, { title: UNTITLED, about: "", audio: null, cover: null }).id };
    });
    inside.post("/v3/upload/:upload/process_upload", async (request, reply) => {
      const episode = shows.episode((request.body as { episodeId: string }).episodeId);
      const upload = uploads.get((request.params as { upload: string }).upload);
      if (!episode || !upload) return reply.code(404).send({ message: "no such upload" });
      episode.audio = upload;
      return { status: "completed" };
    });
    inside.post("/v3/episodes/:id/update", async (request, reply) => {
      const episode = own(request);
      if (!episode) return reply.code(404).send({ message: "no such episode" });
      const { title = "", description = "", isPublished = false, image = "" } = request.body as Update;
      Object.assign(episode, { title: title || UNTITLED, about: description, cover: uploads.get(image) ?? episode.cover });
      if (!isPublished) return { title, didChangePublishState: false };
      if (!title || !description || !episode.audio) return reply.code(422).send({ message: "A title and a description are required." });
      const outcome = shows.publish(episode);
      return { title, didChangePublishState: outcome === "published", shareUrl: `/pod/show/${episode.showId}/episodes/${episode.id}` };
    });
    inside.post("/v3/episodes/:id/delete", async (request, reply) => {
      const episode = own(request);
      if (episode?.state !== "draft") return reply.code(404).send({ message: "no such draft" });
      shows.remove(episode);
      return { success: true };
    });
  });

  app.get("/s/:show/podcast/rss", async (request, reply) => {
    const show = shows.show((request.params as { show: string }).show);
    if (!show) return reply.code(404).send();
    const links = { origin: originOf(request), self: request.url, episode: ({ id }: Episode) => `/pod/show/${show.id}/episodes/${id}` };
    return reply.type("application/rss+xml").send(renderFeed(show, shows.episodes(show.id, "published"), uploads, links));
  });

  const origin = await listen(app);
  return {
    origin,
    members,
    shows,
    lostAnswers,
    edges,
    join(member, title) {
      members.add(member);
      return shows.addShow(member.email, title);
    },
    close: async () => app.close(),
  };
}
