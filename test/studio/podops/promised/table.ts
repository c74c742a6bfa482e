import type { Coverage } from "../../../support/promised/lines.ts";
import type { PromiseBook } from "../../../support/promised/page.ts";
import { podopsReadings } from "../readings.ts";

const PRODUCTION = "guid name owner title summary published latest_publish_date build_date";
const within = (name: string, fields: string): string =>
  fields
    .split(" ")
    .map((field) => `${name}.${field}`)
    .join(" ");
const META = within("metadata", "name guid parent date labels tags");
const FILE = "uri rel type size duration guid url state problem";
const FILES = `${within("image", FILE)} ${within("enclosure", FILE)}`;
const ABOUT = within(
  "description",
  "title summary link.uri duration category.name category.subcategory owner.name owner.email author copyright newFeed.uri",
);
const RESOURCE = `apiVersion kind ${META} ${ABOUT} ${FILES} state`;
const SENT_FILES = `${within("image", "uri rel=local type size duration")} ${within("enclosure", "uri rel=local type size duration")}`;
const LABELS = within("metadata.labels", "draft explicit block guid season episode narrated type language complete");
const SENT = `apiVersion=v1 kind=episode kind=show kind=asset ${within("metadata", "guid parent date tags name labels")} ${LABELS}`;
const SENT_ABOUT = within(
  "description",
  "title summary link.uri duration category.name category.subcategory=[] owner.name owner.email author copyright newFeed.uri",
);
const SAVE = "createResource updateResource";

const MADE = "episodes-are-made-and-published";
const KEPT = "resources-are-kept";
const TOKENS = "tokens-say-who-may-do-what";
const WRONG = "all-that-is-wrong-is-said-at-once";
const FILES_IN = "files-come-in";
const FETCHED = "files-are-fetched-in-the-background";
const BUILT = "a-build-is-all-or-nothing";
const SAME = "the-web-studio-and-the-api-show-the-same";
const SELF = "the-api-describes-itself";

const coverage: Coverage<keyof typeof podopsReadings> = {
  P1: [["version", "→ name version", "to programs; people get the page", `${SELF}: the root says the version`]],
  P2: [
    ["verifyToken", "→ valid subject scope exp", "whose it is and what it may do", `${TOKENS}: the admin key makes a token`],
    ["verifyToken", "! 401", "changed, expired or none", `${TOKENS}: a token that is changed`],
  ],
  P3: [["listProductions", `→ ${within("productions", PRODUCTION)}`, "the subject's own", `${KEPT}: a production is made once`]],
  P4: [
    ["createProduction", `name title summary → ${PRODUCTION}`, "201, also the second time", `${KEPT}: a production is made once`],
    ["createProduction", "", "with all of the object", `${MADE}: what the API makes`],
    ["deleteProduction", "! 404", "204, with all that is its own; the history stays", `${KEPT}: a production is deleted`],
  ],
  P5: [
    ["readResource", `→ ${RESOURCE}`, "by GUID or name", `${KEPT}: kinds have aliases`],
    ["readResource", "", "as it was made", `${MADE}: what the API makes`],
    ["readResource", "", "labels as they were sent", `${KEPT}: labels are kept`],
  ],
  P6: [["listResources", `→ ${within("resources", RESOURCE)}`, "the newest first", `${KEPT}: kinds have aliases`]],
  P7: [
    ["createResource", `${SENT} ${SENT_ABOUT} ${SENT_FILES} → ${RESOURCE}`, "201", `${MADE}: what the API makes`],
    ["createResource", "? f=false ! 400", "400 where there is one", `${KEPT}: POST makes and PUT replaces`],
    ["createResource", "", "at once: one of them", `${KEPT}: of many who make`],
    ["createResource", "", "files that stay elsewhere", `${FILES_IN}: a file that stays elsewhere`],
  ],
  P8: [
    ["updateResource", `${SENT} ${SENT_ABOUT} ${SENT_FILES} → ${RESOURCE}`, "201", `${KEPT}: POST makes and PUT replaces`],
    ["updateResource", "? f=false ! 400", "400 where there is none", `${KEPT}: POST makes and PUT replaces`],
    ["updateResource", "", "what is published keeps GUID, address and guid in the feed", `${KEPT}: what is published keeps`],
  ],
  P9: [["deleteResource", "! 404 400", "204; what is in use stays", `${KEPT}: what is deleted is gone`]],
  P10: [
    ["build", "guid → guid feed alias", "201; the alias leads to the feed by 307", `${MADE}: what the API makes`],
    ["build", "? v=false → valid", "v only looks: 200, or 400 as the build would", `${MADE}: what the API makes`],
    ["build", "", "repeatable: the same bytes", `${MADE}: the same build again`],
    ["build", "! 400 404", "needs a show and an episode", `${BUILT}: a production without a show`],
    ["build", "", "one that is not fit keeps all back", `${BUILT}: one episode that is not fit`],
  ],
  P11: [
    ["upload", "→ guid name uri type size etag duration", "201, also before there is a show", `${FILES_IN}: a file comes in before`],
    ["upload", "! 400 404", "what is no recording and no cover", `${FILES_IN}: what is neither`],
    ["upload", "", "the same name replaces", `${FILES_IN}: a file of the same name`],
    [
      "uploadPart",
      "→ guid name uri type size etag duration offset total",
      "in parts: 202, then 201",
      `${FILES_IN}: a file that comes in parts`,
    ],
  ],
  P12: [
    ["createToken", "subject scope → token expires_at", "201; absent: the first account", `${TOKENS}: the admin key makes a token`],
    ["createToken", "subject scope expires_in ! 401 403 400", "by the admin key alone", `${TOKENS}: a token is made by`],
  ],
  P13: [
    [
      "import",
      "guid uri name → guid name uri state ! 400 404",
      "202; one address is one asset",
      `${FETCHED}: a file is asked for by itself`,
    ],
  ],
  P14: [["*", "name guid", "others: 400", `${WRONG}: names have 8 to 44`]],
  P15: [[SAVE, "metadata.date → metadata.date", "either way in, RFC 1123 out", `${KEPT}: dates are taken`]],
  P16: [["*", "! 400", "{status, message, errors}", `${WRONG}: all that is wrong with an episode`]],
  auth: [["*", "! 401", "before anything else", `${TOKENS}: a token that is changed`]],
  scopes: [["*", "! 403", "each call its own", `${TOKENS}: each call takes its own scope`]],
  owner: [["*", "! 404", "another's are not there, and names are taken", `${TOKENS}: what somebody else made`]],
  "one model": [
    ["*", "", "from the web to the API", `${SAME}: what is made in the web studio`],
    ["*", "", "from the API to the web and back", `${SAME}: what is made by the API`],
    ["*", "", "the same files", `${SAME}: files are the same ones`],
  ],
  validation: [
    [SAVE, `${SENT_ABOUT} ! 400`, "of an episode, its files as well", `${WRONG}: all that is wrong with an episode`],
    [SAVE, "", "of a show", `${WRONG}: all that is wrong with a show`],
    [SAVE, "enclosure.uri", "a missing local file is one", `${FILES_IN}: an episode points to what is there`],
  ],
  bodies: [["*", "! 400 413 404", "no JSON, NUL, too large; no address", `${WRONG}: what is no JSON`]],
  f: [[SAVE, "? f=false", "by force the other way round", `${KEPT}: POST makes and PUT replaces`]],
  kinds: [["readResource listResources", "", "and their plurals", `${KEPT}: kinds have aliases`]],
  upload: [
    ["upload", "", "ranges, HEAD, ETag, 304", `${FILES_IN}: a file comes in before`],
    ["upload", "", "names, types, sizes", `${FILES_IN}: what is neither`],
  ],
  external: [[SAVE, "enclosure.type enclosure.size", "needs type and size", `${FILES_IN}: a file that stays elsewhere`]],
  import: [
    [
      SAVE,
      "→ enclosure.state image.state",
      "202 until it is here; redirects; covers are made to fit",
      `${FETCHED}: a recording and a cover`,
    ],
    [SAVE, "→ enclosure.problem", "tried again; what is no recording is not", `${FETCHED}: a host that is down`],
    ["import", "", "private addresses", `${FETCHED}: addresses of private networks`],
    ["import", "", "after a restart", `${FETCHED}: what a studio that stopped`],
  ],
  build: [
    ["build", "", "all or nothing", `${BUILT}: one episode that is not fit`],
    ["build", "", "drafts are left out; the newest first", `${BUILT}: drafts are left out`],
    ["build", "", "at the same time: each once", `${BUILT}: of builds at the same time`],
  ],
  schedule: [
    ["build", "", "without another build", `${BUILT}: an episode of the future`],
    ["updateResource", "metadata.date", "a date that moves", `${BUILT}: a date that moves`],
  ],
  "every route": [["*", "! 500", "answers as the document says", `${SELF}: the client makes its own tokens`]],
  described: [
    ["*", "", "valid OpenAPI 3.1", `${SELF}: the OpenAPI document is one`],
    ["*", "", "the page names every call", `${SELF}: the page for readers`],
    ["*", "", "the client", `${SELF}: the client makes its own tokens`],
  ],
};

/** Everything that PodOps promises. */
export const podopsPromises: PromiseBook = {
  folder: new URL("../", import.meta.url),
  about: "Every parameter, default, field and status of the studio's API (PodOps).",
  tables: [{ title: "PodOps", folder: "", readings: podopsReadings, coverage }],
};
