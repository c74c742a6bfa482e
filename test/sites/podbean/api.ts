import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { originOf } from "../twin/app.ts";
import { readForm } from "../twin/form.ts";
import type { Episode } from "../twin/shows.ts";
import { problemOf, shown, SLUG, type Site } from "./site.ts";

const MAX_LIMIT = 100;

/** The documented API: a token as a parameter, forms, files by an address that is asked for first. */
export function addApi(app: FastifyInstance, site: Site): void {
  const { shows, show, files, uploads, members } = site;
  const refuse = (reply: FastifyReply, error: string, error_description: string): FastifyReply =>
    reply.code(400).send({ error, error_description });
  const isOurs = (given: string | undefined): boolean => given === site.token && !site.behaviour.tokenExpired;
  const badToken = (reply: FastifyReply): FastifyReply => refuse(reply, "invalid_token", "The access token provided is invalid");
  const keyed = (key: string | undefined): Episode["audio"] => {
    const file = files.get(key ?? "");
    return file ? uploads.keep(file) : null;
  };

  app.get("/v1/podcast", async (request, reply) => {
    if (!isOurs(queryOf(request)["access_token"])) return badToken(reply);
    return reply.send({ podcast: { title: show.title, website: originOf(request) + SLUG, object: "Podcast" } });
  });
  app.get("/v1/episodes", async (request, reply) => {
    const { access_token, offset = "0", limit = "20" } = queryOf(request);
    if (!isOurs(access_token)) return badToken(reply);
    const all = [...shows.episodes(show.id, "published"), ...shows.episodes(show.id, "draft")];
    const from = Number(offset);
    const to = from + Math.min(Number(limit), MAX_LIMIT);
    const episodes = all.slice(from, to).map((episode) => shown(site, episode, request));
    return reply.send({ episodes, offset: from, limit: to - from, count: episodes.length, has_more: to < all.length });
  });
  app.get("/v1/files/uploadAuthorize", async (request, reply) => {
    const { access_token, filename = "", content_type = "" } = queryOf(request);
    if (!isOurs(access_token)) return badToken(reply);
    const file_key = `tmp2/${randomBytes(4).toString("hex")}/${filename}`;
    files.set(file_key, { id: randomBytes(8).toString("hex"), name: filename, type: content_type, bytes: Buffer.alloc(0), readyAt: 0 });
    return reply.send({ presigned_url: `${originOf(request)}/storage/${file_key}?signature=demo`, expire_in: 600, file_key });
  });
  app.register(async (storage) => {
    storage.removeAllContentTypeParsers();
    storage.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: 50 * 1024 * 1024 }, (_request, body, done) => done(null, body));
    storage.put("/storage/*", async (request, reply) => {
      const file = files.get((request.params as { "*": string })["*"]);
      if (!file) return reply.code(403).send();
      file.bytes = request.body as Buffer;
      return reply.send();
    });
  });
  app.post("/v1/episodes", async (request, reply) => {
    const { fields } = await readForm(request);
    if (!isOurs(fields["access_token"])) return badToken(reply);
    const { title = "", content: about = "" } = fields;
    const made = { title, about, audio: keyed(fields["media_key"]), cover: keyed(fields["logo_key"]) };
    const problem = await problemOf(made);
    if (problem) return refuse(reply, "input_params_invalid", problem);
    const episode = shows.create(show.id, made);
    if (fields["status"] === "publish") shows.publish(episode);
    return reply.send({ episode: shown(site, episode, request) });
  });
  app.post("/v1/episodes/:id", async (request, reply) => {
    const { fields } = await readForm(request);
    if (!isOurs(fields["access_token"])) return badToken(reply);
    const episode = shows.episode((request.params as { id: string }).id);
    if (!episode) return refuse(reply, "input_params_invalid", "Episode not found.");
    const { title = episode.title, content: about = episode.about } = fields;
    const problem = await problemOf({ title, about, cover: null });
    if (problem) return refuse(reply, "input_params_invalid", problem);
    Object.assign(episode, { title, about });
    Object.assign(episode, { audio: keyed(fields["media_key"]) ?? episode.audio, cover: keyed(fields["logo_key"]) ?? episode.cover });
    if (fields["status"] === "publish") shows.publish(episode);
    return reply.send({ episode: shown(site, episode, request) });
  });
  app.post("/v1/episodes/:id/delete", async (request, reply) => {
    if (!isOurs((await readForm(request)).fields["access_token"])) return badToken(reply);
    const episode = shows.episode((request.params as { id: string }).id);
    if (!episode) return refuse(reply, "input_params_invalid", "Episode not found.");
    shows.remove(episode);
    return reply.send({ msg: "Delete episode success." });
  });
  uploads.addRoutes(app, (request) => members.of(request) !== null);
}

function queryOf(request: FastifyRequest): Record<string, string | undefined> {
  return request.query as Record<string, string | undefined>;
}
