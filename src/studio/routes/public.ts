import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { readFeedPage } from "../builds.ts";
import type { EpisodeRow } from "../episodes.ts";
import { feedUrl, mediaUrl } from "../feed.ts";
import { guidPattern, namePattern } from "../ids.ts";
import { publicEpisodePage, publicShowPage, type PublicShow } from "../pages/public.ts";
import { Refused } from "../refused.ts";
import { aboutText } from "../rich-text.ts";
import type { ShowsTable } from "../schema.ts";
import { transcriptKinds, transcriptOf } from "../transcripts.ts";
import { sendPage, wantsPage, type Web } from "../web.ts";

/** What listeners, podcast apps and passers-by get; no account needed. */
export function addPublicRoutes(app: FastifyInstance, web: Web): void {
  const { context, shows, episodes } = web;

  app.get("/", async (request, reply) => {
    if (!wantsPage(request)) return reply.send({ name: "podcrew-studio", version: context.version });
    return reply.redirect(request.view.session ? "/dashboard" : "/login");
  });

  app.get<{ Params: { name: string } }>("/s/:name", async (request, reply) => {
    const show = await find(request.params.name);
    return sendPage(reply, request.view, publicShowPage(request.view, await publicShow(show)));
  });

  app.get<{ Params: { name: string; slug: string } }>("/e/:name/:slug", async (request, reply) => {
    const show = await find(request.params.name);
    const { slug } = request.params;
    // The slug ends in the guid, so links live on when their words are cut off or changed.
    const guid = slug.slice(-12);
    const episode = guidPattern.test(guid) ? await publishedEpisode(show, guid) : null;
    if (!episode) throw new Refused(404, "noEpisode");
    if (episode.slug !== null && slug !== episode.slug) return reply.redirect(`/e/${show.name}/${episode.slug}`, 301);
    return sendPage(reply, request.view, publicEpisodePage(request.view, await publicShow(show), episode));
  });

  app.get<{ Params: { name: string } }>("/feeds/:name.xml", async (request, reply) => sendFeed(request, reply, 0));
  app.get<{ Params: { name: string; page: string } }>("/feeds/:name/:page.xml", async (request, reply) => {
    // As the links have it: "1" on, without zeros before it.
    if (!/^[1-9]\d{0,5}$/.test(request.params.page)) throw new Refused(404, "noShow");
    return sendFeed(request, reply, Number(request.params.page));
  });

  app.get<{ Params: { name: string; guid: string; ending: string } }>("/transcripts/:name/:guid.:ending", async (request, reply) => {
    const { name, guid, ending } = request.params;
    const kind = transcriptKinds.find((each) => each.ending === ending);
    const episode = kind && guidPattern.test(guid) ? await publishedEpisode(await find(name), guid) : null;
    const text = episode?.machine_voice ? aboutText(episode.about_html) : "";
    if (!kind || !episode || text === "") throw new Refused(404, "noEpisode");
    const body = Buffer.from(transcriptOf(kind.ending, text, episode.audioSeconds ?? 0));
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;
    return send(request, reply, { body, etag, changedAt: episode.updated_at, type: `${kind.mime}; charset=utf-8` });
  });

  async function sendFeed(request: FastifyRequest<{ Params: { name: string } }>, reply: FastifyReply, page: number): Promise<FastifyReply> {
    const found = await readFeedPage(context, await find(request.params.name), page);
    if (!found) throw new Refused(404, "noShow");
    const { xml, etag, changedAt } = found;
    return send(request, reply, { body: xml, etag, changedAt, type: "application/rss+xml; charset=utf-8" });
  }

  async function find(name: string): Promise<ShowsTable> {
    // No show is called otherwise, and a NUL would break in the database.
    const show = namePattern.test(name) ? await shows.find(name) : null;
    if (!show) throw new Refused(404, "noShow");
    return show;
  }

  async function publishedEpisode(show: ShowsTable, guid: string): Promise<EpisodeRow | null> {
    const episode = await episodes.get(show, guid).catch((error: unknown) => {
      if (error instanceof Refused) return null;
      throw error;
    });
    return episode?.state === "published" ? episode : null;
  }

  async function publicShow(show: ShowsTable): Promise<PublicShow> {
    const cover = show.cover ? await episodes.asset(show, show.cover) : null;
    return {
      show,
      coverPath: cover?.path ?? null,
      coverUrl: cover?.path ? mediaUrl(context, cover.path) : "",
      feedUrl: feedUrl(context, show),
      // An edge: nothing but the feed and an episode's own address tells that it is there.
      episodes: context.edges.tier === "blind" ? [] : await episodes.listPublished(show, 100),
    };
  }
}

interface Answer {
  body: Buffer;
  etag: string;
  changedAt: Date;
  type: string;
}

/** What apps ask for again and again, and web players from elsewhere read. */
async function send(request: FastifyRequest, reply: FastifyReply, { body, etag, changedAt, type }: Answer): Promise<FastifyReply> {
  reply.headers({
    etag,
    "last-modified": changedAt.toUTCString(),
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "access-control-allow-origin": "*",
  });
  if (isFresh(request, etag, changedAt)) return reply.code(304).send();
  return reply.type(type).send(body);
}

/** RFC 9110: the ETag decides where it is given, else the date, which knows whole seconds only. */
function isFresh(request: FastifyRequest, etag: string, changedAt: Date): boolean {
  const match = request.headers["if-none-match"];
  if (match !== undefined) return match === "*" || match.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  return !Number.isNaN(since) && Math.floor(changedAt.getTime() / 1000) * 1000 <= since;
}
