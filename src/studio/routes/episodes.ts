import multipart, { type MultipartFile } from "@fastify/multipart";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { readFeedPage, toldGuid } from "../builds.ts";
import { episodeFields, type EpisodeRow } from "../episodes.ts";
import { feedUrl, showGuid } from "../feed.ts";
import { distributionPage } from "../pages/distribution.ts";
import { editorPage } from "../pages/editor.ts";
import { episodesAsData, episodesPage } from "../pages/episodes.ts";
import { publicLink, publish, publishNew, schedule, unschedule } from "../publishing.ts";
import { Refused } from "../refused.ts";
import type { AssetsTable, ShowsTable } from "../schema.ts";
import { MAX_AUDIO_BYTES } from "../media/kinds.ts";
import { thumbOf } from "../media/names.ts";
import { orNoRoom } from "../media/room.ts";
import { takeUpload } from "../uploads.ts";
import { formatLength } from "../view.ts";
import { requireSession, sendPage, sessionOf, showOf, type Web } from "../web.ts";
import { zonedTime } from "../../kit/zoned-time.ts";

interface EpisodeParams {
  name: string;
  guid: string;
}

/** The pages and calls behind the sign-in that deal with one show's episodes. */
export async function addEpisodeRoutes(app: FastifyInstance, web: Web): Promise<void> {
  const { context, episodes, processing, scheduler } = web;
  await app.register(multipart, { limits: { files: 1, fields: 5, parts: 6, fileSize: MAX_AUDIO_BYTES + 1 }, throwFileSizeLimit: false });
  app.addHook("preHandler", requireSession);

  const coverOf = async (show: ShowsTable): Promise<string | null> =>
    show.cover ? ((await episodes.asset(show, show.cover))?.path ?? null) : null;
  const edit = async (request: FastifyRequest, reply: FastifyReply, show: ShowsTable, episode: EpisodeRow | null): Promise<FastifyReply> =>
    sendPage(
      reply,
      request.view,
      editorPage(request.view, { show, showCover: await coverOf(show), episode, link: episode ? publicLink(context, show, episode) : "" }),
    );
  const saved = (show: ShowsTable, episode: EpisodeRow) => ({
    guid: episode.guid,
    state: episode.state,
    edit: `/shows/${show.name}/episodes/${episode.guid}/edit`,
  });

  app.get("/shows/:name", async (request, reply) => reply.redirect(`/shows/${(await showOf(web, request)).name}/episodes`));

  app.get("/shows/:name/episodes", async (request, reply) => {
    const show = await showOf(web, request);
    const query = request.query as { search?: string | string[]; page?: string };
    const search = String(query.search ?? "")
      .trim()
      .slice(0, 200);
    const listing = await episodes.list(show, { search, page: Number.parseInt(query.page ?? "1", 10) || 1 });
    // The same for programs: all of the page costs a browser many times as much.
    if ((request.headers.accept ?? "").startsWith("application/json")) return episodesAsData(request.view, show, listing);
    return sendPage(reply, request.view, episodesPage(request.view, { show, coverPath: await coverOf(show), search, ...listing }));
  });
  app.get("/shows/:name/episodes/new", async (request, reply) => edit(request, reply, await showOf(web, request), null));
  app.get<{ Params: EpisodeParams }>("/shows/:name/episodes/:guid/edit", async (request, reply) => {
    const show = await showOf(web, request);
    return edit(request, reply, show, await episodes.get(show, request.params.guid));
  });

  app.post("/shows/:name/episodes", async (request, reply) => {
    const show = await showOf(web, request);
    if (context.edges.tier !== "drafts") {
      const { account, row } = sessionOf(request);
      const challenged = context.edges.challenge === "publish" && !row.human;
      const obstacle = challenged ? { obstacle: "challengeNeeded" as const } : {};
      return reply.code(201).send(await publishNew(context, show, parseBody(episodeFields, request), account.email, obstacle));
    }
    return reply.code(201).send(saved(show, await episodes.create(show, parseBody(episodeFields, request))));
  });
  app.put<{ Params: EpisodeParams }>("/shows/:name/episodes/:guid", async (request) => {
    const show = await showOf(web, request);
    return saved(show, await episodes.update(show, request.params.guid, parseBody(episodeFields, request)));
  });
  app.delete<{ Params: EpisodeParams }>("/shows/:name/episodes/:guid", async (request, reply) => {
    await episodes.remove(await showOf(web, request), request.params.guid);
    return reply.code(204).send();
  });

  app.post<{ Params: EpisodeParams }>("/shows/:name/episodes/:guid/publish", async (request) => {
    const show = await showOf(web, request);
    const { account, row } = sessionOf(request);
    const challenged = context.edges.challenge === "publish" && !row.human;
    return publish(context, show, request.params.guid, account.email, challenged ? { obstacle: "challengeNeeded" } : {});
  });
  app.post<{ Params: EpisodeParams }>("/shows/:name/episodes/:guid/schedule", async (request) => {
    const show = await showOf(web, request);
    const { at } = parseBody(z.object({ at: z.string() }), request);
    const time = zonedTime(at, context.config.timeZone);
    if (!time) throw new Refused(400, "badTime");
    await schedule(context, show, request.params.guid, time);
    scheduler.wake();
    return { guid: request.params.guid, publishAt: time.toISOString() };
  });
  app.post<{ Params: EpisodeParams }>("/shows/:name/episodes/:guid/unschedule", async (request) => {
    await unschedule(context, await showOf(web, request), request.params.guid);
    return { guid: request.params.guid };
  });

  app.post("/shows/:name/assets", async (request, reply) => {
    const show = await showOf(web, request);
    const file = await request.file();
    if (!file) throw new Refused(400, "badInput");
    const order = { kind: kindOf(file), fileName: file.filename.slice(0, 255), stream: file.file };
    const asset = await orNoRoom(context, async () => takeUpload(context, show.guid, order));
    if (asset.state === "processing") processing.add(asset);
    return reply.code(202).send(assetAnswer(request, asset));
  });
  app.get<{ Params: EpisodeParams }>("/shows/:name/assets/:guid", async (request) => {
    const asset = await episodes.asset(await showOf(web, request), request.params.guid);
    if (!asset) throw new Refused(404, "noEpisode");
    return assetAnswer(request, asset);
  });

  app.get("/shows/:name/distribution", async (request, reply) => {
    const show = await showOf(web, request);
    const url = feedUrl(context, show);
    const published = (await episodes.listPublished(show)).length;
    const feed = await readFeedPage(context, show, 0);
    return sendPage(
      reply,
      request.view,
      distributionPage(request.view, {
        show,
        coverPath: await coverOf(show),
        feedUrl: url,
        podcastGuid: showGuid(context, show, await toldGuid(context, show)),
        published,
        changedAt: feed?.changedAt ?? show.updated_at,
      }),
    );
  });
}

function parseBody<T>(schema: z.ZodType<T>, request: FastifyRequest): T {
  const parsed = schema.safeParse(request.body ?? {});
  if (!parsed.success) throw new Refused(400, "badInput");
  return parsed.data;
}

/** The form's field is named for what the file is to be; the content has to agree. */
function kindOf(file: MultipartFile): AssetsTable["kind"] {
  if (file.fieldname !== "audio" && file.fieldname !== "cover") throw new Refused(400, "badInput");
  return file.fieldname;
}

function assetAnswer({ view }: FastifyRequest, asset: AssetsTable) {
  const problem = asset.problem === "audioKind" ? view.t.audioKind : view.t.audioBroken;
  return {
    guid: asset.guid,
    kind: asset.kind,
    state: asset.state,
    fileName: asset.file_name,
    length: formatLength(asset.seconds),
    ...(asset.state === "refused" && { message: problem }),
    ...(asset.kind === "cover" && { thumb: `/media/${thumbOf(asset.path)}` }),
  };
}
