import type { FastifyReply, FastifyRequest } from "fastify";
import { createApp, listen, originOf } from "../twin/app.ts";
import { renderFeed } from "../twin/feed.ts";
import { createMailSink } from "../twin/mail.ts";
import { addLostAnswers, type LostAnswers } from "../twin/lost-answers.ts";
import { Members } from "../twin/members.ts";
import { Shows, type Episode, type Show } from "../twin/shows.ts";
import { Uploads } from "../twin/uploads.ts";
import * as pages from "./pages.ts";

/** A twin of SoundOn's studio, built from public descriptions: what they don't say is a likely guess. */
export interface SoundOn {
  origin: string;
  members: Members;
  shows: Shows;
  lostAnswers: LostAnswers;
  /** Somebody with a show. */
  join(member: { email: string; password: string; suspicious?: boolean }, show: string): Show;
  close(): Promise<void>;
}

interface NewEpisode {
  title?: string;
  description?: string;
  audio?: string;
  cover?: string;
  status?: "published" | "draft";
}

export async function openSoundOn({ processingMs = 150 }: { processingMs?: number } = {}): Promise<SoundOn> {
  // Nothing is mailed here: e-mail and password are all it asks for.
  const members = new Members({ mail: createMailSink(), letter: () => ({ from: "", subject: "", text: "" }) });
  const shows = new Shows();
  const uploads = new Uploads({ processingMs });
  const app = await createApp(new URL("./assets/", import.meta.url));
  const lostAnswers = addLostAnswers(app, shows);
  uploads.addRoutes(app, (request) => members.of(request) !== null);

  app.get("/auth/login", async (_request, reply) => send(reply, pages.signIn("")));
  app.post("/auth/login", async (request, reply) => {
    const { email = "", password = "" } = request.body as Record<string, string>;
    const entrance = await members.enter(reply, email, password);
    if (entrance === "in") return reply.redirect(safePath((request.query as { path?: string }).path));
    return send(reply, entrance === "challenge" ? pages.challenge() : pages.signIn(entrance), entrance === "wrong" ? 401 : 403);
  });

  const showOf = (request: FastifyRequest): Show | null => {
    const { show = "" } = request.params as { show?: string };
    return shows.ofOwner(members.of(request)?.email ?? "").find(({ id }) => id === show) ?? null;
  };
  const pageOf = (make: (show: Show, request: FastifyRequest) => string) => async (request: FastifyRequest, reply: FastifyReply) => {
    const show = showOf(request);
    return show ? send(reply, make(show, request)) : send(reply, pages.notFound(), 404);
  };
  void app.register(async (inside) => {
    inside.addHook("onRequest", async (request, reply) =>
      members.guard(`/auth/login?path=${encodeURIComponent(request.url)}`)(request, reply),
    );
    inside.get("/app/podcasts", async (request, reply) => send(reply, pages.podcasts(shows.ofOwner(members.of(request)?.email ?? ""))));
    inside.get("/app/podcasts/:show/episodes", pageOf(pages.episodes));
    inside.get("/app/podcasts/:show/episodes/new", pageOf(pages.editor));
    inside.get(
      "/app/podcasts/:show/episodes/:id",
      pageOf((show, request) => {
        const episode = shows.episode((request.params as { id: string }).id);
        return episode?.showId === show.id ? pages.episode(show, episode) : pages.notFound();
      }),
    );
    inside.get("/v2/podcasts/:show/episodes", async (request, reply) => {
      const show = showOf(request);
      if (!show) return reply.code(404).send({ message: "no such podcast" });
      const all = [...shows.episodes(show.id, "draft"), ...shows.episodes(show.id, "published")];
      return { data: all.map(({ id, title, state }) => ({ id, title, state })) };
    });
    // Each press of the button makes an episode of its own: nothing tells the second from the first.
    inside.post("/v2/podcasts/:show/episodes", async (request, reply) => {
      const show = showOf(request);
      const { title = "", description = "", audio = "", cover = "", status } = request.body as NewEpisode;
      const sound = uploads.get(audio);
      if (!show || !title || !sound) return reply.code(422).send({ message: "標題與音檔為必填" });
      const episode = shows.create(show.id, { title, about: description, audio: sound, cover: uploads.get(cover) });
      if (status === "published") shows.publish(episode);
      return { data: { id: episode.id } };
    });
  });

  app.get("/p/:show/episodes/:id", async (request, reply) => {
    const episode = shows.episode((request.params as { id: string }).id);
    return episode?.state === "published" ? send(reply, pages.player(episode)) : send(reply, pages.notFound(), 404);
  });
  app.get("/podcasts/:file", async (request, reply) => {
    const show = shows.show((request.params as { file: string }).file.replace(/\.xml$/, ""));
    if (!show) return reply.code(404).send();
    const links = { origin: originOf(request), self: request.url, episode: ({ id }: Episode) => `/p/${show.id}/episodes/${id}` };
    return reply.type("application/rss+xml").send(renderFeed(show, shows.episodes(show.id, "published"), uploads, links));
  });

  const origin = await listen(app);
  return {
    origin,
    members,
    shows,
    lostAnswers,
    join(member, title) {
      members.add(member);
      return shows.addShow(member.email, title);
    },
    close: async () => app.close(),
  };
}

function safePath(path = ""): string {
  return /^\/app\/[\w/-]*$/.test(path) ? path : "/app/podcasts";
}

function send(reply: FastifyReply, html: string, status = 200): FastifyReply {
  return reply.code(status).type("text/html; charset=utf-8").send(html);
}
