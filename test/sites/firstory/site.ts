import type { FastifyReply, FastifyRequest } from "fastify";
import { createApp, listen, originOf } from "../twin/app.ts";
import { renderFeed } from "../twin/feed.ts";
import type { Mail } from "../twin/mail.ts";
import { addLostAnswers, type LostAnswers } from "../twin/lost-answers.ts";
import { Members } from "../twin/members.ts";
import { Shows, type Episode, type Show } from "../twin/shows.ts";
import { Uploads } from "../twin/uploads.ts";
import * as pages from "./pages.ts";

/** A twin of Firstory Studio, built from public descriptions: what they don't say is a likely guess. */
export interface Firstory {
  origin: string;
  members: Members;
  shows: Shows;
  lostAnswers: LostAnswers;
  /** Somebody with a show. */
  join(member: { email: string; password: string; mailedCode?: boolean; suspicious?: boolean }, show: string): Show;
  close(): Promise<void>;
}

export const SENDER = "no-reply@firstory.me";

export async function openFirstory({ mail, processingMs = 150 }: { mail: Mail; processingMs?: number }): Promise<Firstory> {
  const members = new Members({
    mail,
    letter: (code) => ({ from: SENDER, subject: "Firstory 登入驗證碼", text: `你的驗證碼是 ${code}，十分鐘內有效。` }),
  });
  const shows = new Shows();
  const uploads = new Uploads({ processingMs });
  const app = await createApp(new URL("./assets/", import.meta.url));
  const lostAnswers = addLostAnswers(app, shows);
  uploads.addRoutes(app, (request) => members.of(request) !== null);

  app.get("/login", async (_request, reply) => send(reply, pages.signIn("")));
  app.post("/login", async (request, reply) => {
    const { email = "", password = "" } = request.body as Record<string, string>;
    const entrance = await members.enter(reply, email, password);
    if (entrance === "in") return reply.redirect("/dashboard");
    if (entrance === "code") return reply.redirect("/login/code");
    return send(reply, entrance === "challenge" ? pages.challenge() : pages.signIn(entrance), entrance === "wrong" ? 401 : 403);
  });
  app.get("/login/code", async (request, reply) => (members.owing(request) ? send(reply, pages.code(false)) : reply.redirect("/login")));
  app.post("/login/code", async (request, reply) => {
    const member = members.owing(request);
    if (!member) return reply.redirect("/login");
    if (!members.takeCode(member, (request.body as { code?: string }).code ?? "")) return send(reply, pages.code(true), 401);
    members.open(reply, member, "in");
    return reply.redirect("/dashboard");
  });
  app.post("/login/code/again", async (request, reply) => {
    const member = members.owing(request);
    if (member) await members.mailCode(member);
    return reply.redirect(member ? "/login/code" : "/login");
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
    inside.addHook("onRequest", members.guard("/login"));
    inside.get("/dashboard", async (request, reply) => send(reply, pages.dashboard(shows.ofOwner(members.of(request)?.email ?? ""))));
    inside.get("/dashboard/:show", pageOf(pages.show));
    inside.get("/dashboard/:show/episodes", pageOf(pages.episodes));
    inside.get(
      "/dashboard/:show/upload",
      pageOf((show) => pages.editor(show, null)),
    );
    inside.get("/dashboard/:show/distribution", pageOf(pages.distribution));
    inside.get(
      "/dashboard/:show/episodes/:id",
      pageOf((show, request) => {
        const episode = shows.episode((request.params as { id: string }).id);
        return episode?.showId === show.id ? pages.editor(show, episode) : pages.notFound();
      }),
    );
    inside.post("/graphql", async (request, reply) => {
      const answer = operate(request.body as Operation, shows.ofOwner(members.of(request)?.email ?? ""));
      return answer ?? reply.code(400).send({ message: "unknown operation" });
    });
  });

  app.get("/story/:id", async (request, reply) => {
    const episode = shows.episode((request.params as { id: string }).id);
    return episode?.state === "published" ? send(reply, pages.story(episode)) : send(reply, pages.notFound(), 404);
  });
  app.get("/rss/user/:show", async (request, reply) => {
    const show = shows.show((request.params as { show: string }).show);
    if (!show) return reply.code(404).send();
    const links = { origin: originOf(request), self: request.url, episode: ({ id }: Episode) => `/story/${id}` };
    return reply.type("application/rss+xml").send(renderFeed(show, shows.episodes(show.id, "published"), uploads, links));
  });

  /** Everything goes to one address, as it does on the real site. */
  function operate({ operationName, variables }: Operation, own: readonly Show[]): object | null {
    const mine = own.find(({ id }) => id === variables["show"]);
    const episode = shows.episode(variables["id"] ?? "");
    const isMine = episode !== null && own.some(({ id }) => id === episode.showId);
    if (operationName === "episodes" && mine)
      return {
        episodes: shows.episodes(mine.id, variables["state"] === "draft" ? "draft" : "published").map(({ id, title }) => ({ id, title })),
      };
    const fields = {
      title: variables["title"] ?? "",
      about: variables["about"] ?? "",
      audio: uploads.get(variables["audio"] ?? null),
      cover: uploads.get(variables["cover"] ?? null),
    };
    if (operationName === "saveDraft" && !variables["id"] && mine) return { id: shows.create(mine.id, fields).id };
    if (!episode || !isMine) return null;
    if (operationName === "saveDraft") {
      // A published episode can't go back to draft: saving it changes it where it is.
      Object.assign(episode, { ...fields, audio: fields.audio ?? episode.audio, cover: fields.cover ?? episode.cover });
      return { id: episode.id };
    }
    if (operationName === "deleteDraft" && episode.state === "draft") return (shows.remove(episode), { id: episode.id });
    if (operationName === "publishEpisode" && episode.audio && episode.title) return (shows.publish(episode), { id: episode.id });
    return null;
  }

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

interface Operation {
  operationName: string;
  variables: Record<string, string | undefined>;
}

function send(reply: FastifyReply, html: string, status = 200): FastifyReply {
  return reply.code(status).type("text/html; charset=utf-8").send(html);
}
