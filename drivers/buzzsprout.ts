import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { defineDriver, readJson, z, type DriverContext, type Episode } from "../src/driver/index.ts";

/**
 * Buzzsprout, by its API alone; no page is opened. Built from public descriptions, rehearse before use.
 *
 * Drafts are private episodes: Buzzsprout says that one is not public, whatever its date, until `private` is false. There is
 * no documented way to delete one, so what a rehearsal or a canceled task leaves stays in the account as a private episode.
 */
export default defineDriver({
  site: "buzzsprout",
  hosts: ["www.buzzsprout.com", "buzzsprout.com"],
  /** `username` is the podcast's number, as in the API's address. */
  account: z.object({ username: z.string().regex(/^\d+$/, "must be the podcast's number, such as 140447"), apiToken: z.string() }),
  tier: "drafts",
  post: "request",
  limits: { audio: { formats: ["mp3", "m4a", "wav"], maxBytes: 200 * 1024 * 1024 } },
  refusals: {
    "account.refused": { text: /\S/, within: '[data-status="401"]' },
    "content.refused": { text: /\S/, within: '[data-status="422"]' },
  },
  publishRequest: { method: "PUT", url: /\/api\/\d+\/episodes\/\d+\.json$/, body: /"private":false/ },

  async isSignedIn(site) {
    const answer = await site.request.get(api(site, "episodes.json"), { headers: headers(site) });
    if (answer.status() === 401) return false;
    await readJson(site, answer, z.array(episodeRow));
    return true;
  },
  async signIn(site) {
    await episodes(site);
  },
  async find(site, episode) {
    return (await episodes(site)).filter((row) => !row.private && carries(row, episode)).map((row) => copyOf(site, row));
  },
  async list(site) {
    return (await episodes(site)).filter((row) => !row.private).map((row) => ({ ...copyOf(site, row), title: row.title }));
  },
  async draft(site, episode, draftId) {
    const { request, step } = site;
    const all = await episodes(site);
    const left = all.find(({ id }) => String(id) === draftId) ?? all.find((row) => row.private && carries(row, episode));
    const texts = { title: episode.title, description: episode.aboutHtml };
    // The recording may have been mended since. What is public by now stays as it is.
    const isHeard = left?.audio_url?.includes(basename(episode.audioPath)) ?? false;
    if (left && !left.private) return String(left.id);
    step("upload");
    const cover = episode.coverPath && { artwork_file: createReadStream(episode.coverPath) };
    if (left) {
      const changed = await request.put(api(site, `episodes/${left.id}.json`), {
        headers: headers(site),
        timeout: 0,
        multipart: { ...texts, ...(!isHeard && { audio_file: createReadStream(episode.audioPath) }), ...cover },
      });
      return String((await readJson(site, changed, episodeRow)).id);
    }
    const made = await request.post(api(site, "episodes.json"), {
      headers: headers(site),
      // A large file takes longer than a step; the deadline of the whole verb holds.
      timeout: 0,
      multipart: {
        ...texts,
        private: true,
        guid: episode.marker,
        published_at: new Date().toISOString(),
        email_user_after_audio_processed: false,
        audio_file: createReadStream(episode.audioPath),
        ...cover,
      },
    });
    const row = await readJson(site, made, episodeRow);
    if (!carries(row, episode))
      throw new Error("Buzzsprout kept neither the guid nor the audio file's name: nothing tells the episode apart");
    return String(row.id);
  },
  async publish(site, _episode, draftId) {
    const data = { private: false, published_at: new Date().toISOString() };
    const answer = await site.request.put(api(site, `episodes/${draftId}.json`), { headers: headers(site), data });
    const row = await readJson(site, answer, episodeRow);
    if (row.private) throw new Error("Buzzsprout still says that the episode is private");
    return copyOf(site, row);
  },
  async feed({ origin, account }) {
    return `${origin}/${account.username}.rss`;
  },
});

type Site = DriverContext<{ username: string; apiToken: string }>;
const episodeRow = z.object({
  id: z.number(),
  title: z.string(),
  guid: z.string().nullish(),
  audio_url: z.string().nullish(),
  private: z.boolean(),
});
type EpisodeRow = z.output<typeof episodeRow>;

function api({ origin, account }: Site, path: string): string {
  return `${origin.replace("//buzzsprout.com", "//www.buzzsprout.com")}/api/${account.username}/${path}`;
}

/** A request without a User-Agent is refused; ours says who we are. */
function headers({ account }: Site): Record<string, string> {
  return { authorization: `Token token=${account.apiToken}`, "user-agent": "Podcrew", accept: "application/json" };
}

/** All of them, in one answer. */
async function episodes(site: Site): Promise<EpisodeRow[]> {
  return readJson(site, await site.request.get(api(site, "episodes.json"), { headers: headers(site) }), z.array(episodeRow));
}

/** The guid is ours, or the audio's address ends in our file's name. */
function carries({ guid, audio_url }: EpisodeRow, { marker }: Episode): boolean {
  return guid === marker || (audio_url ?? "").includes(marker);
}

function copyOf({ origin, account }: Site, { id }: EpisodeRow): { id: string; link: string } {
  return { id: String(id), link: `${origin}/${account.username}/${id}` };
}
