import type { contentReadings } from "../content/content-readings.ts";
import type { Coverage } from "../../support/promised/lines.ts";

const CONTENT = "content/contents-are-kept";
const TAKEN = "content/a-variant-is-taken-by-its-mode";
const MEDIA = "content/media-come-in-and-go-out";
const MEDIUM = "id url filename mime_type size_bytes duration_sec";
const VARIANT = "id content mediaIds media_count media_usage_mode weight order isUsed lastUsedAt";
const within = (name: string, fields: string): string =>
  fields
    .split(" ")
    .map((field) => `${name}.${field}`)
    .join(" ");
const PLAIN =
  "id status title type action_type fbAccount.* createdAt updatedAt tags.id tags.name content_data.type content_data.variant_usage_mode";
const COUNT = within("_count", "tags variants total_media folders unused_variants");
const VARIANTS = `${within("content_data.variants", VARIANT)} ${within("content_data.variants.media", MEDIUM)}`;
const ALL = `${PLAIN} ${COUNT} ${VARIANTS}`;
const ONE = "getById createContent changeContent";
const BODY = "title type action_type status variant_usage_mode tags";
const VARIANT_BODY = within("variants", "content weight=1 order media_usage_mode=random mediaIds=[]");

/** The Content API. */
export const contentCoverage: Coverage<keyof typeof contentReadings> = {
  C1: [
    ["getById", "→ success", "{success, content}", `${CONTENT}: a content is answered as the text shows it`],
    ["getById", "! not_found", "404", `${CONTENT}: what there is not is 404`],
  ],
  C2: [
    [
      ONE,
      `→ ${within("content", PLAIN)}`,
      "the fields of the text; no account: fbAccount null",
      `${CONTENT}: a content is answered as the text shows it`,
    ],
  ],
  C3: [
    [
      ONE,
      `→ ${within("content", VARIANTS)}`,
      "size_bytes is a text, duration_sec may be null",
      `${CONTENT}: a content is answered as the text shows it`,
    ],
  ],
  C4: [[ONE, `→ ${within("content", COUNT)}`, "computed; no folders: 0", `${CONTENT}: a content is answered as the text shows it`]],
  GET: [["getById listContent listTags listMedia readMedium", "", "changes nothing", `${CONTENT}: reading changes nothing`]],
  create: [
    [
      "createContent",
      `title type=social action_type status=active variant_usage_mode=random tags ${VARIANT_BODY} → success`,
      "201; what is absent has a default",
      `${CONTENT}: what is absent has a default`,
    ],
    ["createContent", "variants.mediaIds=[] ! unprocessable", "have to be there and the owner's", `${CONTENT}: media have to be there`],
  ],
  change: [["changeContent", `${BODY} → success`, "what is not given stays", `${CONTENT}: what is not given stays`]],
  variants: [
    ["changeContent", VARIANT_BODY, "one whose text is unchanged stays the same one", `${CONTENT}: a variant whose text is unchanged`],
  ],
  delete: [["deleteContent", "→ success", "with all that is its own; audited", `${CONTENT}: a content goes with all`]],
  list: [["listContent", `? search type tag → ${ALL}`, "the newest first", `${CONTENT}: by page, search, type and tag`]],
  tags: [
    ["listTags", "? search → id name contents", "one for all spellings; unused ones vanish", `${CONTENT}: one for all spellings`],
    ["createContent changeContent", "", "at one moment", `${CONTENT}: contents that are tagged`],
  ],
  owner: [
    ["*", "! not_found", "a tenant's rows are its own", `${CONTENT}: everybody sees and changes`, `${CONTENT}: an owner who is removed`],
  ],
  auth: [
    [
      "*",
      "! NO_API_KEY INVALID_API_KEY invalid_token forbidden not_allowed",
      "API key with the scope, or a person's token",
      `${CONTENT}: who is not known`,
    ],
  ],
  bodies: [
    [
      "createContent",
      "! validation nul_character unprocessable malformed_json body_too_large",
      "told apart; texts are kept verbatim",
      `${CONTENT}: what can't be read`,
    ],
  ],
  take: [
    [
      "take",
      `key → success ${within("variant", VARIANT)} ${within("variant.media", MEDIUM)} ${within("media", MEDIUM)}`,
      "{success, variant, media}, marked used in one transaction",
      `${TAKEN}: variants are taken by order`,
      `${TAKEN}: a content's mode decides`,
    ],
    ["take", "key ! validation unprocessable not_found", "what can't be taken", `${TAKEN}: what can't be taken`],
  ],
  key: [["take", "key", "the same key always gets the same pick", `${TAKEN}: a key gets its pick again`]],
  random: [["take", "", "unused first, then reshuffled", `${TAKEN}: of 10,000 takes each round`]],
  sequential: [["take", "", "by order, wraps around", `${TAKEN}: 10,000 takes go by order`]],
  weighted: [
    ["take", "", "by weight, never one of zero", `${TAKEN}: 10,000 takes are drawn`, `${TAKEN}: the ends of chance`],
    ["take", "", "all zero: uniform", `${TAKEN}: where all weights are zero`],
  ],
  "picked media": [["take", "", "by media_usage_mode", `${TAKEN}: a variant's media are taken`]],
  race: [
    ["take", "", "each variant once, one key one pick", `${TAKEN}: takes at one moment`],
    ["take changeContent", "", "while variants are replaced", `${TAKEN}: takes while variants`],
    ["deleteMedium createContent", "", "a medium is deleted or attached, never both", `${MEDIA}: a medium is deleted or attached`],
  ],
  episode: [
    ["", "", "a content is an episode of a request", `${TAKEN}: a content gives an episode`, `${TAKEN}: two that take`],
    ["", "", "content_ids of a request", "content/a-request-takes-its-episodes-from-contents: a request that names contents"],
  ],
  upload: [
    ["uploadMedium", `→ success ${within("media", MEDIUM)}`, "multipart field file: 201", `${MEDIA}: what was uploaded is served`],
    ["uploadMedium", "→ media.filename", "what can stand at the end of an address", `${MEDIA}: a name is what can stand`],
    ["uploadMedium", "", "one that is cut off leaves nothing", `${MEDIA}: an upload that is cut off`],
  ],
  kinds: [
    ["uploadMedium", "! unprocessable validation", "told by content; others 422", `${MEDIA}: a file's kind`, `${MEDIA}: what is not kept`],
  ],
  "too large": [["uploadMedium", "! file_too_large", "over 200 MB: 413", `${MEDIA}: a file over the limit`]],
  "no folder": [["uploadMedium", "! conflict", "a manager without a data folder keeps none", `${MEDIA}: a manager without a data folder`]],
  serve: [
    ["readMedium", "", "public, HEAD, ETag, inline, nosniff", `${MEDIA}: what was uploaded is served`, `${MEDIA}: anybody who knows`],
  ],
  range: [["readMedium", "", "206, 304, 416", `${MEDIA}: parts are served`]],
  "list media": [["listMedia", `? search → ${MEDIUM}`, "each owner's own", `${MEDIA}: by page and name`]],
  "delete media": [["deleteMedium", "→ success ! conflict", "409 while a variant uses it", `${MEDIA}: not while a variant uses it`]],
  sweep: [["", "", "files that no row names are in the trash after a day", "content/files-without-a-row-are-swept: what no row names"]],
  "own folder": [
    ["", "", "each database has its files in a folder of its own", "content/files-without-a-row-are-swept: a manager on another database"],
  ],
  "rate limit": [
    ["*", "! too_many", "1000 a second for a caller, then 429 with Retry-After", "content/too-many-calls-wait: the 1,001st call"],
    ["*", "", "and no more than that", "content/too-many-calls-wait: a second's calls", "content/too-many-calls-wait: whoever asks slowly"],
  ],
};
