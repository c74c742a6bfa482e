import { podopsRoutes, podopsScopes, type PodopsScope } from "../../contract/podops-api.ts";
import type { Resource } from "../../contract/podops-resource.ts";
import { Answered, type Handlers } from "../../kit/api/serve.ts";
import { buildShow, forgetFeed } from "../builds.ts";
import type { StudioContext } from "../context.ts";
import { checkBuild, publishDue } from "../resources/build.ts";
import type { Fetches } from "../resources/fetches.ts";
import { findProduction, listProductions } from "../resources/find.ts";
import { importAsset } from "../resources/import-asset.ts";
import { listResources } from "../resources/list.ts";
import { refuseProblems, Rejected } from "../resources/problems.ts";
import { createProduction, ensureOwner, productionAnswer } from "../resources/productions.ts";
import { removeResource } from "../resources/remove.ts";
import { readResource, saveResource } from "../resources/save.ts";
import type { Mode } from "../resources/save-call.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Caller } from "./identify.ts";
import { DAY_SECONDS, type Tokens } from "./tokens.ts";

/** What is served by hand: the version beside the studio's page, files as they come. */
const { version: _page, upload: _file, uploadPart: _part, ...served } = podopsRoutes;
export const servedRoutes = served;

interface Parts {
  context: StudioContext;
  tokens: Tokens;
  fetches: Fetches;
  scheduler: Scheduler;
}

export function podopsHandlers({ context, tokens, fetches, scheduler }: Parts): Handlers<typeof servedRoutes, Caller> {
  const { db } = context;

  async function save(
    { params, body }: { params: { prod: string; kind: string; id: string }; body: unknown },
    { owner }: Caller,
    mode: Mode,
  ): Promise<Resource | Answered<Resource>> {
    const production = await findProduction(db, owner, params.prod);
    // Whoever has a production has an account.
    if (!owner) throw new Rejected(404, "There is no such production.");
    const saved = await saveResource(context, { owner, production, kind: params.kind, id: params.id, mode, body });
    if (saved.kind === "episode" && saved.state === "scheduled") scheduler.wake();
    if (!waits(saved)) return saved;
    fetches.wake();
    return new Answered(202, saved);
  }

  return {
    verifyToken: async (_given, { subject, scopes, expiresAt }) => ({
      valid: true,
      subject,
      scope: scopes.join(" "),
      exp: Math.floor(expiresAt.getTime() / 1000),
    }),
    async createToken({ body }) {
      const { subject = await firstAccount(context), scope, expires_in: life = DAY_SECONDS } = body;
      const { token, expiresAt } = await tokens.issue(subject.trim(), readScopes(scope), life);
      return { token, expires_at: Math.floor(expiresAt.getTime() / 1000) };
    },

    listProductions: async (_given, { owner }) => ({ productions: (await listProductions(db, owner)).map(productionAnswer) }),
    async createProduction({ body }, { owner, subject }) {
      return productionAnswer(await createProduction(context, await ensureOwner(context, owner, subject), body));
    },
    async deleteProduction({ params }, { owner }) {
      const { guid } = await findProduction(db, owner, params.id);
      await db.deleteFrom("productions").where("guid", "=", guid).execute();
      await forgetFeed(context, guid);
      await context.store.flush();
    },

    readResource: async ({ params }, { owner }) =>
      readResource(context, await findProduction(db, owner, params.prod), params.kind, params.id),
    listResources: async ({ params }, { owner }) => ({
      resources: await listResources(context, await findProduction(db, owner, params.prod), params.kind),
    }),
    createResource: async (given, caller) => save(given, caller, given.query.f ? "either" : "create"),
    updateResource: async (given, caller) => save(given, caller, given.query.f ? "either" : "update"),
    async deleteResource({ params }, { owner }) {
      await removeResource(context, await findProduction(db, owner, params.prod), params.kind, params.id);
      await context.store.flush();
    },

    async build({ body, query }, { owner, subject }) {
      const production = await findProduction(db, owner, body.guid);
      if (query.v) {
        await checkBuild(context, production);
        return new Answered(200, { valid: true });
      }
      const { show, scheduled } = await publishDue(context, production, owner?.email ?? subject);
      await buildShow(context, show, "api");
      if (scheduled > 0) scheduler.wake();
      const { guid } = production;
      return { guid, feed: `${context.publicUrl}/feeds/${guid}.xml`, alias: `${context.publicUrl}/s/${show.name}/feed.xml` };
    },
    async import({ body }, { owner }) {
      const asset = await importAsset(context, await findProduction(db, owner, body.guid), body);
      fetches.wake();
      return asset;
    },
  };
}

/** Whether one of its files is not here as yet. */
function waits(saved: Resource): boolean {
  const pointers = [saved.kind === "asset" ? undefined : saved.image, saved.kind === "show" ? undefined : saved.enclosure];
  return pointers.some((one) => one?.state === "waiting");
}

/** @throws Rejected 400 */
function readScopes(given: string): PodopsScope[] {
  const said = given.split(/[\s,]+/).filter(Boolean);
  const known: readonly string[] = podopsScopes;
  const unknown = said.filter((scope) => !known.includes(scope));
  const problems = unknown.map((scope) => ({ path: "scope", message: `"${scope}" is none of ${podopsScopes.join(", ")}` }));
  refuseProblems(
    said.length === 0 ? [{ path: "scope", message: `is empty: some of ${podopsScopes.join(", ")}` }] : problems,
    "The token can't be made",
  );
  return podopsScopes.filter((scope) => said.includes(scope));
}

/** For whom tokens are where nobody is named. */
async function firstAccount({ db }: StudioContext): Promise<string> {
  const first = await db.selectFrom("accounts").select("email").orderBy("created_at").orderBy("id").limit(1).executeTakeFirst();
  return first?.email ?? "admin";
}
