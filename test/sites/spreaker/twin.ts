import type { FastifyReply } from "fastify";
import { createApp, listen, originOf } from "../twin/app.ts";
import { renderFeed } from "../twin/feed.ts";
import { readForm } from "../twin/form.ts";
import { Shows, type Episode, type HistoryEntry } from "../twin/shows.ts";
import { Uploads } from "../twin/uploads.ts";

/**
 * Spreaker's API as it is described in public: an OAuth2 token, answers wrapped in `response`, title and media file needed, an
 * upload that is PENDING while it is encoded and READY afterwards. Only the owner's list ("editable") shows it before.
 */
export interface Spreaker {
  origin: string;
  show: string;
  token: string;
  behaviour: { down: boolean; encodingMs: number; pageSize: number };
  /** An episode that is there already. */
  given(title: string): void;
  history(): HistoryEntry[];
  close(): Promise<void>;
}

const FIRST_ID = 12_345_678;

export async function openSpreaker(): Promise<Spreaker> {
  const app = await createApp(new URL("./", import.meta.url));
  const shows = new Shows();
  const uploads = new Uploads({ processingMs: 0 });
  uploads.addListening(app);
  const [number, token] = ["1433865", "demo-spreaker-token"];
  const show = shows.addShow(number, "Slow Mornings");
  const behaviour = { down: false, encodingMs: 300, pageSize: 100 };
  const ids: string[] = [];
  const numberOf = ({ id }: Episode): number => FIRST_ID + ids.indexOf(id);
  const isReady = ({ publishedAt }: Episode): boolean => Date.now() >= publishedAt + behaviour.encodingMs;
  const page = (episode: Episode): string => `/episode/the-title--${numberOf(episode)}`;
  const refuse = (reply: FastifyReply, code: number, ...messages: string[]): FastifyReply =>
    reply.code(code).send({ response: { error: { messages, code } } });

  app.addHook("preHandler", async (request, reply) => {
    if (!request.url.startsWith("/v2/")) return;
    if (behaviour.down) return refuse(reply, 503, "We are down for maintenance");
    if (request.headers.authorization !== `Bearer ${token}`) return refuse(reply, 401, "Invalid credentials");
  });
  app.get("/v2/me", async () => ({ response: { user: { user_id: 7, fullname: "Maya" } } }));
  app.get("/v2/shows/:show", async (request, reply) =>
    (request.params as { show: string }).show === number
      ? reply.send({ response: { show: { show_id: Number(number), title: show.title } } })
      : refuse(reply, 404, "The show does not exist"),
  );
  app.get("/v2/shows/:show/episodes", async (request) => {
    const { filter = "", limit = "50", last_id = "" } = request.query as Record<string, string>;
    const all = shows.episodes(show.id, "published").filter((episode) => filter === "editable" || isReady(episode));
    const rest = last_id === "" ? all : all.filter((episode) => numberOf(episode) < Number(last_id));
    const shown = rest.slice(0, Math.min(Number(limit), behaviour.pageSize));
    const last = shown.at(-1);
    const next = `${originOf(request)}/v2/shows/${number}/episodes?filter=${filter}&limit=${limit}&last_id=${last ? numberOf(last) : ""}`;
    return {
      response: { items: shown.map((one) => row(one, originOf(request))), next_url: shown.length < rest.length ? next : null },
    };
  });
  app.post("/v2/shows/:show/episodes", async (request, reply) => {
    const { fields, files } = await readForm(request);
    for (const file of Object.values(files)) uploads.keep(file);
    const { title = "", description = "" } = fields;
    const audio = files["media_file"];
    if (title.trim() === "" || !audio)
      return refuse(reply, 400, title.trim() === "" ? "The title is required" : "The media file is required");
    const episode = add(title, { about: description, audio, cover: files["image_file"] ?? null });
    return reply.send({ response: { episode: row(episode, originOf(request)) } });
  });
  const row = (episode: Episode, origin: string): object => ({
    episode_id: numberOf(episode),
    type: "RECORDED",
    title: episode.title,
    show_id: Number(number),
    site_url: origin + page(episode),
    encoding_status: isReady(episode) ? "READY" : "PENDING",
  });
  const add = (title: string, rest: Pick<Episode, "about" | "audio" | "cover">): Episode => {
    const episode = shows.create(show.id, { title, ...rest });
    ids.push(episode.id);
    shows.publish(episode);
    return episode;
  };

  app.get("/show/:show/episodes/feed", async (request, reply) => {
    const links = { origin: originOf(request), self: request.url, episode: page };
    const heard = shows.episodes(show.id, "published").filter(isReady);
    return reply.type("application/rss+xml").send(renderFeed(show, heard, uploads, links));
  });

  const origin = await listen(app);
  return {
    origin,
    show: number,
    token,
    behaviour,
    given: (title) => void add(title, { about: "", audio: null, cover: null }),
    history: () => shows.history(),
    close: async () => app.close(),
  };
}
