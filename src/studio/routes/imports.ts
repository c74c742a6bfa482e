import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { guidPattern } from "../ids.ts";
import { importPage, importStepPage } from "../pages/imports.ts";
import { Refused } from "../refused.ts";
import { requireSession, sendPage, sessionOf, wantsPage, type Web } from "../web.ts";

const text = z.string().catch("");
const feedForm = z.object({ feed: text });
const codeForm = z.object({ code: text });

/** Taking over a show by its feed. */
export async function addImportRoutes(app: FastifyInstance, web: Web): Promise<void> {
  const { imports, copies } = web;
  app.addHook("preHandler", requireSession);
  const account = (request: FastifyRequest) => sessionOf(request).account;
  const guidOf = (request: FastifyRequest): string => {
    const { guid } = request.params as { guid: string };
    if (!guidPattern.test(guid)) throw new Refused(404, "importGone");
    return guid;
  };

  app.get("/import", async (request, reply) => {
    const imported = await imports.list(account(request));
    if (!wantsPage(request)) return reply.header("cache-control", "no-store").send({ imports: imported });
    return sendPage(reply, request.view, importPage(request.view, { feed: "", problem: "" }, imported));
  });
  app.post("/import", async (request, reply) => {
    const { feed } = feedForm.parse(request.body ?? {});
    try {
      return await reply.redirect(`/import/${await imports.begin(account(request), feed)}`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const form = { feed, problem: request.view.t[error.text] };
      return sendPage(reply, request.view, importPage(request.view, form, await imports.list(account(request))), error.status);
    }
  });

  app.get("/import/:guid", async (request, reply) =>
    sendPage(reply, request.view, importStepPage(request.view, await imports.get(account(request), guidOf(request)), "")),
  );
  app.post("/import/:guid/code", async (request, reply) => {
    const guid = guidOf(request);
    const { code } = codeForm.parse(request.body ?? {});
    try {
      await imports.verify(account(request), guid, code.trim());
      return await reply.redirect(`/import/${guid}`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const row = await imports.get(account(request), guid);
      return sendPage(reply, request.view, importStepPage(request.view, row, request.view.t[error.text]), error.status);
    }
  });
  app.post("/import/:guid/confirm", async (request) => {
    const imported = await imports.confirm(account(request), guidOf(request));
    copies.wake();
    return imported;
  });
}
