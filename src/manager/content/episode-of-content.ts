import { sql, type Transaction } from "kysely";
import type { WorkerEpisode } from "../../contract/worker-api.ts";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";
import type { MediaUrl, StoredMedium } from "./documents.ts";
import { take, type TakeParts } from "./take.ts";

/**
 * The episode that a content gives under a key, which is the episode's id: the content's title, the text of the variant that is
 * taken, and the variant's first picture and first recording. Inside the caller's transaction.
 * @throws ApiError unprocessable naming a content that the tenant does not have, or that is inactive
 */
type EpisodeOfContent = (trx: Transaction<ManagerTables>, tenant: string | null, contentId: string, key: string) => Promise<WorkerEpisode>;

export function createEpisodeOfContent({
  now,
  mediaUrl,
  random = Math.random,
}: Pick<TakeParts, "now"> & Partial<TakeParts> & { mediaUrl: MediaUrl }): EpisodeOfContent {
  return async (trx, tenant, contentId, key) => {
    // A caller takes of several contents: two that had begun with each other's second would wait for ever.
    await sql`select pg_advisory_xact_lock(hashtext('podcrew episodes'), hashtext(${tenant ?? ""}))`.execute(trx);
    const { title, variant } = await take(trx, tenant, { contentId, key }, { now, random }).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === "not_found")
        throw new ApiError("unprocessable", `content_ids: there is no content ${contentId}`);
      if (error instanceof ApiError && error.code === "conflict")
        throw new ApiError("unprocessable", `content_ids: the content ${contentId} is inactive`);
      throw error;
    });
    const first = (kind: "image" | "audio"): StoredMedium | undefined =>
      variant.media.find(({ mime_type }) => mime_type.startsWith(`${kind}/`));
    const urlOf = (medium: StoredMedium | undefined): string => (medium ? mediaUrl(medium.id, medium.filename) : "");
    const audio = first("audio");
    return { id: key, title, about: variant.content, image_url: urlOf(first("image")), ...(audio && { audio_url: urlOf(audio) }) };
  };
}
