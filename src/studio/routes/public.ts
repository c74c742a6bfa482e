import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { EpisodeRow } from "../episodes.ts";
import { feedUrl, mediaUrl, renderFeed } from "../feed.ts";
import { guidPattern, namePattern } from "../ids.ts";
import { publicEpisodePage, publicShowPage, type PublicShow } from "../pages/public.ts";
import { Refused } from "../refused.ts";
import type { ShowsTable } from "../schema.ts";
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

  app.get<{ Params: { file: string } }>("/feeds/:file", async (request, reply) => {
    const name = /^(.+)\.xml$/.exec(request.params.file)?.[1];
    const show = await find(name ?? "");
    const { xml, changedAt } = await renderFeed(context, episodes, show);
    const etag = `"${createHash("sha256").update(xml).digest("base64url").slice(0, 27)}"`;
    reply.headers({ etag, "last-modified": changedAt.toUTCString(), "cache-control": "no-cache", "x-content-type-options": "nosniff" });
    if (isFresh(request, etag, changedAt)) return reply.code(304).send();
    return reply.type("application/rss+xml; charset=utf-8").send(xml);
  });

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
      coverUrl: mediaUrl(context, cover?.path ?? ""),
      feedUrl: feedUrl(context, show),
      // An edge: nothing but the feed and an episode's own address tells that it is there.
      episodes: context.edges.tier === "blind" ? [] : await episodes.listPublished(show, 100),
    };
  }
}

/** RFC 9110: the ETag decides where it is given, else the date, which knows whole seconds only. */
function isFresh(request: FastifyRequest, etag: string, changedAt: Date): boolean {
  const match = request.headers["if-none-match"];
  if (match !== undefined) return match === "*" || match.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  return !Number.isNaN(since) && Math.floor(changedAt.getTime() / 1000) * 1000 <= since;
}
