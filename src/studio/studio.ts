import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import { createAddressPolicy, hostAndPort } from "../kit/addresses.ts";
import { systemClock, type Clock } from "../kit/clock.ts";
import type { Log } from "../kit/log.ts";
import { checkHost, createServer, listen } from "../kit/server.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../store/vault.ts";
import { openAccounts, type Accounts } from "./accounts.ts";
import { ensureAdminKey } from "./admin-key.ts";
import { openApi } from "./api/serve-api.ts";
import { createAssetUrls } from "./asset-urls.ts";
import { createChallenges } from "./challenges.ts";
import type { StudioConfig, StudioContext } from "./context.ts";
import { smoothEdges, type Edges } from "./edges.ts";
import { openEpisodes } from "./episodes.ts";
import { ImportCopies } from "./import-copies.ts";
import { openImports, readImportHistory, type ImportEntry } from "./imports.ts";
import { createMailer } from "./mailer.ts";
import { openMediaStore } from "./media/open.ts";
import { MediaSweep } from "./media/sweep.ts";
import { createMetrics } from "./metrics.ts";
import { migrations } from "./migrations.ts";
import { Processing } from "./processing.ts";
import { toHistoryEntry, type HistoryEntry } from "./publishing.ts";
import { Fetches } from "./resources/fetches.ts";
import { addFileRoutes } from "./routes/files.ts";
import { addImportRoutes } from "./routes/imports.ts";
import { addPublicRoutes } from "./routes/public.ts";
import { addShowRoutes } from "./routes/shows.ts";
import { addChallengeRoutes, addSignInRoutes, addSignOutRoutes } from "./routes/sign-in.ts";
import { addEpisodeRoutes } from "./routes/episodes.ts";
import { Scheduler } from "./scheduler.ts";
import type { StudioDb, StudioTables } from "./schema.ts";
import { openSessions } from "./sessions.ts";
import { openShows, type Shows } from "./shows.ts";
import { createViewMaker } from "./view.ts";
import { addSessionHooks, type Web } from "./web.ts";
import { packageVersion } from "../kit/package-version.ts";

export interface StudioOptions {
  store: Store;
  vault: Pick<Vault, "seal" | "open">;
  log: Log;
  config: StudioConfig;
  edges?: Partial<Edges> | undefined;
  clock?: Clock | undefined;
}

/** A podcast host with a web studio. */
export interface Studio {
  /** Origin under which it listens, e.g. "http://127.0.0.1:8710". */
  readonly url: string;
  readonly accounts: Accounts;
  readonly shows: Pick<Shows, "create" | "find">;
  /** Rough edges, live: a change counts from the next request on. */
  readonly edges: Edges;
  /** Every publish request that was handled, oldest first. Append-only. */
  history(): Promise<HistoryEntry[]>;
  /** Every confirmed import that was handled, oldest first. Append-only. */
  imports(): Promise<ImportEntry[]>;
  /** Ends what is under way; unfinished processing is taken up at the next start. */
  close(): Promise<void>;
}

/** @throws UsageError when the port is taken or the configuration is wrong */
export async function openStudio(options: StudioOptions): Promise<Studio> {
  const log = options.log.child({ part: "studio" });
  const context = await prepare(options, log);
  await ensureAdminKey(context);
  const assets = createAssetUrls();
  const processing = new Processing(context);
  const web: Web = {
    context,
    accounts: openAccounts(context),
    sessions: openSessions(context),
    shows: openShows(context),
    episodes: openEpisodes(context),
    processing,
    imports: openImports(context),
    copies: new ImportCopies(context, processing),
    scheduler: new Scheduler(context),
    challenges: createChallenges(),
    views: createViewMaker(context, openSessions(context), assets),
  };
  const sweep = new MediaSweep(context);
  const fetches = new Fetches(context, processing);
  const listening = await serve(web, assets.folder, fetches);
  context.publicUrl = options.config.publicUrl ?? listening.url;
  await context.policy.close();
  context.policy = createAddressPolicy([...(options.config.allowPrivate ?? []), hostAndPort(new URL(context.publicUrl))]);
  await web.sessions.sweep();
  await web.processing.resume();
  web.copies.start();
  fetches.start();
  web.scheduler.start();
  sweep.start();
  log.info(`the studio is open at ${context.publicUrl}`);
  return {
    url: listening.url,
    accounts: web.accounts,
    shows: web.shows,
    edges: context.edges,
    history: async () => (await context.db.selectFrom("history").selectAll().orderBy("id").execute()).map(toHistoryEntry),
    imports: async () => readImportHistory(context.db),
    async close() {
      await listening.close();
      await sweep.close();
      await web.scheduler.close();
      await web.copies.close();
      await fetches.close();
      await web.processing.close();
      await context.policy.close();
      await context.media.close();
      context.mailer?.close();
    },
  };
}

async function prepare({ store, vault, config, edges, clock = systemClock }: StudioOptions, log: Log): Promise<StudioContext> {
  await store.migrate("studio", migrations);
  const folder = join(config.dataDir, "studio", "media");
  const uploadDir = join(config.dataDir, "studio", "uploads");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await mkdir(uploadDir, { recursive: true, mode: 0o700 });
  const media = await openMediaStore({
    address: config.mediaStore ?? { kind: "disk" },
    keyId: config.mediaStoreKeyId,
    secret: config.mediaStoreSecret,
    folder,
    scratchDir: uploadDir,
    log,
  });
  const db: StudioDb = store.part<StudioTables>("studio");
  const mailer = config.smtpUrl ? createMailer(config.smtpUrl, config.mailFrom) : null;
  return {
    db,
    store,
    vault,
    log,
    clock,
    config,
    edges: { ...smoothEdges, ...edges },
    mailer,
    metrics: createMetrics(),
    media,
    uploadDir,
    policy: createAddressPolicy(config.allowPrivate ?? []),
    publicUrl: config.publicUrl ?? "",
    version: packageVersion(),
  };
}

async function serve(web: Web, assetFolder: string, fetches: Fetches) {
  const { context } = web;
  const { config, metrics } = context;
  const api = await openApi(web, fetches);
  const app = createServer({
    log: context.log,
    refuseUrl: api.refuseUrl,
    ready: {
      database: async () => (await context.db.selectFrom("accounts").select("id").limit(1).execute(), null),
      media: async () => context.media.check(),
    },
  });
  const publicHost = config.publicUrl ? [new URL(config.publicUrl).host] : [];
  checkHost(app, [...config.allowedHosts, ...publicHost], () => ({
    code: 421,
    body: { message: "This host name is not the studio's. List it in ALLOWED_HOSTS." },
  }));
  app.addHook("onResponse", async (request, reply) =>
    metrics.requestSeconds.observe({ method: request.method, status: String(reply.statusCode) }, reply.elapsedTime / 1000),
  );
  app.get("/metrics", async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()));
  await app.register(cookie);
  await app.register(formbody);
  await api.serve(app);
  await app.register(async (pages) => {
    addSessionHooks(pages, web);
    addPublicRoutes(pages, web);
    addSignInRoutes(pages, web);
    addChallengeRoutes(pages, web);
    addSignOutRoutes(pages, web);
    await pages.register(async (scope) => addShowRoutes(scope, web));
    await pages.register(async (scope) => addEpisodeRoutes(scope, web));
    await pages.register(async (scope) => addImportRoutes(scope, web));
  });
  await addFileRoutes(app, context, assetFolder);
  return listen(app, { host: config.host, port: config.port, setting: "STUDIO_PORT" });
}
