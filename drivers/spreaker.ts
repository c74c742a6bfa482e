import { createReadStream } from "node:fs";
import { defineDriver, readJson, z, type DriverContext, type Entry } from "../src/driver/index.ts";

/**
 * Spreaker, by its API alone; no page is opened. Built from public descriptions, rehearse before use.
 *
 * The upload is the publish request. Its API has drafts, but how one is published is not described in public, and an episode that is
 * uploaded as private is so on some plans only: where that is ignored it would be out before anybody asked. Its listing
 * shows nothing that we choose, so that what is new and carries the title is the episode.
 */
export default defineDriver({
  site: "spreaker",
  hosts: ["www.spreaker.com", "spreaker.com"],
  /** `username` is the show's number, as in the API's address. */
  account: z.object({ username: z.string().regex(/^\d+$/, "must be the show's number, such as 1433865"), apiToken: z.string() }),
  tier: "list",
  post: "request",
  limits: { about: { tags: [], maxCharacters: 4000 }, audio: { formats: ["mp3", "m4a", "wav"], maxBytes: 200 * 1024 * 1024 } },
  refusals: {
    "account.refused": { text: /\S/, within: '[data-status="401"]' },
    "content.refused": { text: /\S/, within: '[data-status="400"], [data-status="422"]' },
  },
  publishRequest: { method: "POST", url: /\/v2\/shows\/\d+\/episodes$/ },

  async isSignedIn(site) {
    const answer = await site.request.get(api(site, "me"), { headers: headers(site) });
    if (answer.status() === 401) return false;
    await readJson(site, answer, z.unknown());
    return true;
  },
  async signIn(site) {
    await readJson(site, await site.request.get(api(site, "me"), { headers: headers(site) }), z.unknown());
  },
  async list(site) {
    const entries: Entry[] = [];
    // "editable" also shows what is still being encoded.
    let page: string | null = api(site, `shows/${site.account.username}/episodes?filter=editable&limit=100`);
    while (page !== null) {
      const { items, next_url }: Listing["response"] = (
        await readJson(site, await site.request.get(page, { headers: headers(site) }), listing)
      ).response;
      for (const { type, ...item } of items) if (type !== "DRAFT") entries.push(entryOf(item));
      page = next_url ?? null;
    }
    return entries;
  },
  /** Nothing can be prepared; a show that is not there is told before anything is armed. */
  async draft(site) {
    const show = api(site, `shows/${site.account.username}`);
    await readJson(site, await site.request.get(show, { headers: headers(site) }), z.unknown());
  },
  async publish(site, episode) {
    site.step("upload");
    const answer = await site.request.post(api(site, `shows/${site.account.username}/episodes`), {
      headers: headers(site),
      multipart: {
        title: episode.title,
        description: episode.aboutText,
        media_file: createReadStream(episode.audioPath),
        ...(episode.coverPath && { image_file: createReadStream(episode.coverPath) }),
      },
    });
    // PENDING while it is encoded, READY later: it is theirs from this answer on.
    const { response } = await readJson(site, answer, z.object({ response: z.object({ episode: item }) }));
    return entryOf(response.episode);
  },
  async feed({ origin, account }) {
    return `${origin}/show/${account.username}/episodes/feed`;
  },
});

type Site = DriverContext<{ username: string; apiToken: string }>;
const item = z.object({ episode_id: z.number(), title: z.string(), site_url: z.string().nullish(), type: z.string().nullish() });
const listing = z.object({ response: z.object({ items: z.array(item), next_url: z.string().nullish() }) });
type Listing = z.output<typeof listing>;

/** The API has a host of its own; the twin has one for all. */
function api({ origin }: Site, path: string): string {
  return `${origin.replace(/\/\/(www\.)?spreaker\.com/, "//api.spreaker.com")}/v2/${path}`;
}

function headers({ account }: Site): Record<string, string> {
  return { authorization: `Bearer ${account.apiToken}`, "user-agent": "Podcrew", accept: "application/json" };
}

function entryOf({ episode_id, title, site_url }: Omit<z.output<typeof item>, "type">): Entry {
  return { id: String(episode_id), title, link: site_url ?? "" };
}
