import type { FastifyReply, FastifyRequest } from "fastify";
import { createApp, listen, originOf } from "../twin/app.ts";
import { renderFeed } from "../twin/feed.ts";
import { readForm } from "../twin/form.ts";
import { html, page } from "../twin/page.ts";
import { Shows, type Episode, type HistoryEntry } from "../twin/shows.ts";
import { Uploads } from "../twin/uploads.ts";

/**
 * Buzzsprout's API as it is described in public: a token, a User-Agent that must be there, JSON or a form with files, private
 * episodes that `private: false` makes public. What is described nowhere (the words of its refusals) is made up.
 */
export interface Buzzsprout {
  origin: string;
  podcast: string;
  token: string;
  /** As the requests came in: "PUT /api/140447/episodes/788881.json". */
  wire: readonly string[];
  behaviour: {
    /** What an episode keeps of what it was given to be told apart. */
    keepsGuid: boolean;
    keepsFileName: boolean;
    down: boolean;
  };
  history(): HistoryEntry[];
  close(): Promise<void>;
}

const FIRST_ID = 788_881;

export async function openBuzzsprout(): Promise<Buzzsprout> {
  const app = await createApp(new URL("./", import.meta.url));
  const shows = new Shows();
  const uploads = new Uploads({ processingMs: 0 });
  uploads.addListening(app);
  const [podcast, token] = ["140447", "demo-buzzsprout-token"];
  const show = shows.addShow(podcast, "Slow Mornings");
  const wire: string[] = [];
  const behaviour = { keepsGuid: true, keepsFileName: true, down: false };
  const guids = new Map<string, string>();
  const ids: string[] = [];
  const byNumber = (number: string): Episode | null => shows.episode(ids[Number(number) - FIRST_ID] ?? "");
  const numberOf = ({ id }: Episode): number => FIRST_ID + ids.indexOf(id);

  const shown = (episode: Episode, request: FastifyRequest): object => ({
    id: numberOf(episode),
    title: episode.title,
    description: episode.about,
    audio_url: `${originOf(request)}/${podcast}/${numberOf(episode)}-${behaviour.keepsFileName ? episode.audio?.name : "episode.mp3"}`,
    guid: (behaviour.keepsGuid && guids.get(episode.id)) || `Buzzsprout-${numberOf(episode)}`,
    private: episode.state === "draft",
  });

  app.addHook("preHandler", async (request, reply) => {
    if (!request.url.startsWith("/api/")) return;
    wire.push(`${request.method} ${request.url}`);
    if (behaviour.down) return reply.code(503).send("Service Unavailable");
    if (!request.headers["user-agent"]) return reply.code(403).send("Forbidden: no User-Agent");
    if (request.headers.authorization !== `Token token=${token}`) return reply.code(401).send("Bad credentials");
    const type = request.headers["content-type"] ?? "";
    if (["POST", "PUT"].includes(request.method) && !/^(application\/json|multipart\/form-data)/.test(type)) return reply.code(415).send();
    if ((request.params as { podcast?: string }).podcast !== podcast) return reply.code(404).send({ error: "no such podcast" });
  });
  app.get("/api/:podcast/episodes.json", async (request) =>
    [...shows.episodes(show.id, "published"), ...shows.episodes(show.id, "draft")].map((episode) => shown(episode, request)),
  );
  app.post("/api/:podcast/episodes.json", async (request, reply) => {
    const { fields, files } = await readForm(request);
    for (const file of Object.values(files)) uploads.keep(file);
    const { title = "", description = "", guid = "" } = fields;
    if (title.trim() === "") return reply.code(422).send({ title: ["can't be blank"] });
    const episode = shows.create(show.id, {
      title,
      about: description,
      audio: files["audio_file"] ?? null,
      cover: files["artwork_file"] ?? null,
    });
    ids.push(episode.id);
    guids.set(episode.id, guid);
    if (fields["private"] !== "true") shows.publish(episode);
    return reply.code(201).send(shown(episode, request));
  });
  app.put("/api/:podcast/episodes/:file", async (request, reply) => change(request, reply));

  async function change(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const episode = byNumber((request.params as { file: string }).file.replace(/\.json$/, ""));
    if (!episode) return reply.code(404).send({ error: "no such episode" });
    const { fields, files } = await readForm(request);
    for (const file of Object.values(files)) uploads.keep(file);
    const { title, description, private: isPrivate } = fields;
    const { audio_file: audio = episode.audio, artwork_file: cover = episode.cover } = files;
    Object.assign(episode, { audio, cover });
    if (title !== undefined) episode.title = title;
    if (description !== undefined) episode.about = description;
    if (isPrivate === "false") shows.publish(episode);
    return reply.send(shown(episode, request));
  }

  app.get("/:podcast/:number", async (request, reply) => {
    const episode = byNumber((request.params as { number: string }).number);
    if (episode?.state !== "published") return reply.code(404).send();
    const body = html`<h1>${episode.title}</h1>
      <div class="notes">!${episode.about}</div>`;
    return reply.type("text/html").send(page({ lang: "en", title: episode.title, body }));
  });
  app.get(`/${podcast}.rss`, async (request, reply) => {
    const links = {
      origin: originOf(request),
      self: `/${podcast}.rss`,
      episode: (episode: Episode) => `/${podcast}/${numberOf(episode)}`,
    };
    return reply.type("application/rss+xml").send(renderFeed(show, shows.episodes(show.id, "published"), uploads, links));
  });

  const origin = await listen(app);
  return { origin, podcast, token, wire, behaviour, history: () => shows.history(), close: async () => app.close() };
}
