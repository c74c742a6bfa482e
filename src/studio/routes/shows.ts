import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { UsageError } from "../../kit/config.ts";
import { namePattern } from "../ids.ts";
import { dashboardPage, newShowPage, settingsPage, type ShowForm } from "../pages/shows.ts";
import { Refused } from "../refused.ts";
import type { ShowsTable } from "../schema.ts";
import { showFields } from "../shows.ts";
import { requireSession, sendPage, sessionOf, showOf, type Web } from "../web.ts";

const text = z.string().catch("");
const checkbox = z
  .string()
  .optional()
  .transform((value) => value === "yes");
const showForm = z.object({
  name: text,
  title: text,
  description: text,
  language: text,
  author: text,
  ownerEmail: text,
  category: text,
  explicit: checkbox,
  locked: checkbox,
});

/** The dashboard and what makes and changes shows. */
export async function addShowRoutes(app: FastifyInstance, web: Web): Promise<void> {
  const { context, shows, episodes } = web;
  app.addHook("preHandler", requireSession);

  app.get("/dashboard", async (request, reply) =>
    sendPage(reply, request.view, dashboardPage(request.view, await shows.listOwned(sessionOf(request).account.id))),
  );

  app.get("/new-show", async (request, reply) => {
    const { account } = sessionOf(request);
    const blank: ShowForm = {
      name: "",
      title: "",
      description: "",
      language: request.view.locale,
      author: account.name,
      ownerEmail: account.email,
      category: "Society & Culture",
      explicit: false,
      locked: false,
    };
    return sendPage(reply, request.view, newShowPage(request.view, blank, ""));
  });
  app.post("/new-show", async (request, reply) => {
    const form = parseForm(request);
    const { t } = request.view;
    const refuse = (problem: string) => sendPage(reply, request.view, newShowPage(request.view, form, problem), 422);
    if (!namePattern.test(form.name)) return refuse(t.showNameRule);
    const fields = showFields.safeParse(form);
    if (!fields.success) return refuse(t.showRule);
    if (await shows.find(form.name)) return refuse(t.showNameTaken);
    try {
      await shows.create({ ...fields.data, name: form.name, ownerId: sessionOf(request).account.id });
    } catch (error) {
      // Between the look and the insert somebody else took the name.
      if (error instanceof UsageError) return refuse(t.showNameTaken);
      throw error;
    }
    return reply.redirect(`/shows/${form.name}/episodes`);
  });

  const coverPath = async (show: ShowsTable): Promise<string | null> =>
    show.cover ? ((await episodes.asset(show, show.cover))?.path ?? null) : null;
  app.get("/shows/:name/settings", async (request, reply) => {
    const show = await showOf(web, request);
    const note = (request.query as { saved?: string }).saved ? request.view.t.settingsSaved : "";
    return sendPage(
      reply,
      request.view,
      settingsPage(request.view, show, await coverPath(show), { ...show, ownerEmail: show.owner_email }, { problem: "", note }),
    );
  });
  app.post("/shows/:name/settings", async (request, reply) => {
    const show = await showOf(web, request);
    const form = parseForm(request);
    const fields = showFields.safeParse(form);
    if (!fields.success)
      return sendPage(
        reply,
        request.view,
        settingsPage(request.view, show, await coverPath(show), form, { problem: request.view.t.showRule, note: "" }),
        422,
      );
    const { ownerEmail, ...rest } = fields.data;
    await context.db
      .updateTable("shows")
      .set({ ...rest, owner_email: ownerEmail, updated_at: new Date(context.clock.now()) })
      .where("guid", "=", show.guid)
      .execute();
    await context.db
      .updateTable("productions")
      .set({ title: rest.title, summary: rest.description })
      .where("guid", "=", show.parent)
      .execute();
    return reply.redirect(`/shows/${show.name}/settings?saved=1`);
  });
  app.put("/shows/:name/cover", async (request) => {
    const show = await showOf(web, request);
    const { cover } = z.object({ cover: text }).parse(request.body ?? {});
    const asset = await episodes.asset(show, cover);
    if (asset?.kind !== "cover" || asset.state !== "ready") throw new Refused(422, "coverBroken");
    await context.db
      .updateTable("shows")
      .set({ cover, next_cover: null, updated_at: new Date(context.clock.now()) })
      .where("guid", "=", show.guid)
      .execute();
    return { cover };
  });
}

function parseForm(request: FastifyRequest): ShowForm {
  return showForm.parse(request.body ?? {});
}
