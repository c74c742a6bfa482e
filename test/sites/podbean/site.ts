import { generateSync } from "otplib";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { coverProblem } from "../twin/form.ts";
import { Members, type Member } from "../twin/members.ts";
import { Shows, type Episode, type Show } from "../twin/shows.ts";
import { Uploads, type Upload } from "../twin/uploads.ts";
import { createMailSink, type Mail } from "../twin/mail.ts";
import { originOf } from "../twin/app.ts";

export interface PodbeanMember extends Member {
  /** Is asked for its authenticator's code instead of a mailed one. */
  totpSecret?: string;
}

/** The host keeps a file's name at the end of its address. */
class NamedUploads extends Uploads {
  override path({ id, name }: Upload): string {
    return `/mf/web/${id}/${name}`;
  }

  override addListening(app: FastifyInstance): void {
    app.get("/mf/web/:id/:name", async (request, reply) => this.send(request, reply, (request.params as { id: string }).id));
  }
}

/** What the pages and the API of the twin share. */
export interface Site {
  show: Show;
  shows: Shows;
  members: Members;
  uploads: Uploads;
  /** By the key that the API gives out. */
  files: Map<string, Upload>;
  token: string;
  behaviour: { keepsFileName: boolean; tokenExpired: boolean };
  link(episode: Episode): string;
}

export const SLUG = "/slow-mornings";
export const COVER = { minPixels: 1400, maxPixels: 3000 };

export function createSite(owner: string, mail: Mail = createMailSink()): Site {
  const shows = new Shows();
  const members = new Members({
    mail,
    letter: (code) => ({
      from: "Podbean <no-reply@podbean.com>",
      subject: "Your Podbean verification code",
      text: `Your code is ${code}. It expires in 10 minutes.`,
    }),
  });
  return {
    show: shows.addShow(owner, "Slow Mornings"),
    shows,
    members,
    uploads: new NamedUploads({ processingMs: 100 }),
    files: new Map(),
    token: "demo-podbean-token",
    behaviour: { keepsFileName: true, tokenExpired: false },
    link: ({ id }) => `${SLUG}/e/${id}`,
  };
}

/** Why an episode can't be kept; "" when it can. */
export async function problemOf({ title, about, cover }: Pick<Episode, "title" | "about" | "cover">): Promise<string> {
  if (title.length < 5 || title.length > 200) return "The title must have 5 to 200 characters.";
  if (about.length > 100_000) return "The description is too long.";
  const wrong = cover && (await coverProblem(cover, COVER));
  return wrong ? `The episode image can't be used: ${wrong}.` : "";
}

/** As an authenticator shows it now, or showed it in the step before. */
export function isCodeOf(secret: string, code: string): boolean {
  const now = Math.floor(Date.now() / 1000);
  return [now, now - 30].some((epoch) => generateSync({ secret, epoch }) === code);
}

/** As the API describes an episode. */
export function shown({ uploads, behaviour, link }: Site, episode: Episode, request: FastifyRequest): object {
  const origin = originOf(request);
  const { id, title, about: content, audio, state } = episode;
  return {
    id,
    title,
    content,
    media_url: audio && origin + (behaviour.keepsFileName ? uploads.path(audio) : `/mf/web/${audio.id}.mp3`),
    permalink_url: state === "published" ? origin + link(episode) : null,
    status: state === "published" ? "publish" : "draft",
    type: "public",
    object: "Episode",
  };
}
