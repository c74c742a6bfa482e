import type { Line } from "../../support/promised/lines.ts";

const ITEM =
  "id service_type group_id name website auction_price target created_links status type_request started_at completed_at created_at";
const REQUEST = `${ITEM} user_id priority config data folder_urls result credits.held credits.spent updated_at`;
const LINK =
  "id service_type server_id server_name site_id site_name email username password about link_profile link_post status note error_message retry_count max_retries is_indexed started_at completed_at created_at";
const MORE = "has_password account_id kind link_rss";
const within = (name: string, fields: string): string =>
  fields
    .split(" ")
    .map((field) => `${name}.${field}`)
    .join(" ");
const STATS = `${within("requests", "pending running completed failed stopped")} ${within("links", "pending queued running completed failed canceled")}`;

/** Projects, requests, links and stats of the Backlink API. */
export const requestCoverage = {
  B1: [
    [
      "listProjects",
      "? search status type type_request → id name type type_request website auction_price target created_links status result started_at created_at",
      'requests of all types; result is "completed / target"',
      "stats-and-projects-are-true: projects are the requests",
    ],
  ],
  B15: [
    [
      "createRequest",
      "target=10 priority=0 type_request website config data.* folder_urls",
      "10 units of the service type",
      "what-is-not-said-has-its-default: an order of nothing",
    ],
    [
      "createRequest",
      `group_id name website auction_price config data.* folder_urls → ${REQUEST}`,
      "201, the full object, as it was given",
      "requests-are-paid-and-worked-off: an order is answered whole",
    ],
    ["createRequest", "target=10 type_request", "10, and the service type", "requests-are-paid-and-worked-off: an order is answered whole"],
    [
      "createRequest readRequest",
      "→ credits.held credits.spent",
      "price × target is reserved in one transaction with the row",
      "requests-are-paid-and-worked-off: an order is answered whole",
      "requests-are-paid-and-worked-off: whatever happens",
    ],
    [
      "createRequest",
      "! payment_required",
      "402 when short, and nothing is left of it, also fifty at once",
      "requests-are-paid-and-worked-off: without the credits",
      "the-ledger-is-what-was-ordered-and-posted: hundreds of orders",
    ],
    [
      "createRequest",
      "auction_price ! validation unprocessable not_found",
      "above 0; 50 to 100 for blog20 and podcast: 422; a foreign group 404",
      "requests-are-paid-and-worked-off: a wrong type is 400",
    ],
    [
      "createRequest changeRequest",
      "data.* ! unprocessable",
      "an episode of a podcast with neither text nor audio: 422, by its index",
      "a-silent-episode-is-not-ordered: an episode that nobody could hear",
    ],
  ],
  B16: [
    [
      "listRequests",
      `? status search sort=created_at order=desc → ${ITEM}`,
      "filtered, searched and sorted",
      "requests-are-paid-and-worked-off: a list is filtered",
    ],
    [
      "listRequests",
      "? sort=created_at order=desc",
      "pages are the whole list, each row once",
      "requests-are-paid-and-worked-off: the pages of a list",
    ],
  ],
  B17: [
    [
      "changeRequest",
      "group_id name website auction_price target priority type_request config data.* folder_urls",
      "each alone, while it is pending",
      "what-is-not-said-has-its-default: each field",
    ],
    [
      "changeRequest",
      "",
      "of a stopped or failed one all, at no cost before its restart",
      "a-request-that-stands-still-can-be-changed: a new price",
      "a-request-that-stands-still-can-be-changed: a failed request",
    ],
    [
      "readRequest changeRequest deleteRequest",
      `→ ${REQUEST}`,
      "nothing for who is not its owner, under another type or none",
      "requests-are-paid-and-worked-off: who is not its owner",
    ],
    ["changeRequest", "", "an operator works for the owner, a viewer reads", "requests-are-paid-and-worked-off: an operator works"],
    [
      "changeRequest",
      "group_id name website auction_price target config ! payment_required unprocessable",
      "raising charges the difference (402), lowering refunds",
      "requests-are-paid-and-worked-off: what is pending can be changed",
    ],
    [
      "changeRequest",
      "priority name data.* ! conflict",
      "of what runs only name and priority: 409",
      "requests-are-paid-and-worked-off: of what has begun",
    ],
    ["changeRequest", "target ! unprocessable", "below what is spent: 422", "requests-are-paid-and-worked-off: of what has begun"],
    ["deleteRequest", "", "refunds what was not posted; the farm finds nothing", "requests-are-paid-and-worked-off: deleting gives back"],
  ],
  B18: [
    [
      "startRequest stopRequest restartRequest",
      `→ ${REQUEST}`,
      "pending, running, stopped, completed; start when running 200, when completed 409",
      "requests-are-paid-and-worked-off: start, stop and restart",
    ],
    [
      "restartRequest",
      "! payment_required conflict",
      "failed and canceled links only; reserves again",
      "requests-are-paid-and-worked-off: start, stop and restart",
    ],
    ["stopRequest", "", "of a completed one its imports", "a-farm-keeps-what-it-works-on: a stop of a completed request"],
    ["restartRequest", "", "what a farm holds stays its own", "a-farm-keeps-what-it-works-on: a task that a person canceled"],
    ["restartRequest", "", "what was stopped before its start begins", "requests-are-paid-and-worked-off: what was stopped before"],
    [
      "startRequest",
      "→ created_links",
      "one primary account a host, hosts by their oldest account; the others wait",
      "a-request-becomes-work: one account of each site",
    ],
    ["startRequest", "", "the first `target` of the episodes, verbatim", "a-request-becomes-work: what an episode says"],
    [
      "startRequest",
      "! unprocessable",
      "without an episode, a group or an active account: 422",
      "a-request-becomes-work: without an episode",
    ],
    ["startRequest", "", "twice at once makes it once", "a-request-becomes-work: two starts at once"],
    ["startRequest", "", "of the other services an account makes one link", "a-request-becomes-work: of the other services"],
    [
      "readRequest",
      "→ status result completed_at",
      "completed when target units are, or nothing can bring more; the rest is refunded",
      "a-request-becomes-work: a request is completed when",
      "a-request-becomes-work: what is open beyond",
    ],
    [
      "readRequest",
      "→ status",
      "the next account of a host takes over; without one: failed",
      "a-request-becomes-work: when an account fails",
      "a-request-becomes-work: who failed and was done",
    ],
    ["readRequest", "", "secondaries import the feed of the first primary", "a-request-becomes-work: secondaries import"],
    ["", "", "a task that nobody ordered costs nothing", "a-request-becomes-work: a task that nobody ordered"],
    [
      "stopRequest deleteRequest changeRequest",
      "",
      "the ledger is true whatever happens, at once or in any order",
      "requests-are-paid-and-worked-off: whatever happens",
      "requests-are-paid-and-worked-off: farms and people at once",
    ],
  ],
  B19: [
    [
      "deleteRequests",
      "ids → results.id results.ok results.message",
      "1 to 1000 ids, an answer for each",
      "requests-are-paid-and-worked-off: many are deleted",
    ],
    [
      "exportRequests",
      `ids ? format=json → ${within("requests", REQUEST)}`,
      "JSON and CSV",
      "requests-are-paid-and-worked-off: many are deleted",
    ],
  ],
  B20: [
    ["listLinks", "→ server_id server_name", "null before a farm had it", "what-is-not-said-has-its-default: a link that no farm"],
    [
      "listLinks complete insert",
      "about link_profile is_indexed → about link_profile is_indexed",
      "what the farm says of it",
      "a-link-tells-of-its-page: the farm says",
    ],
    ["listLinks", "→ site_id account_id", "a site has one id, the account its own", "a-link-tells-of-its-page: a site has one id"],
    ["listLinks", `→ ${LINK}`, "21 fields; max_retries 3", "links-are-followed-and-retried: a link is shown"],
    ["listLinks", `→ ${MORE}`, "additive", "links-are-followed-and-retried: a link is shown"],
    [
      "listLinks",
      "? status",
      "pending, queued, running, completed, failed, canceled; filter, list and counters agree",
      "links-are-followed-and-retried: a status follows",
    ],
    ["listLinks", "? search sort=created_at order=desc", "by site, login and address", "links-are-followed-and-retried: links are found"],
  ],
  B21: [
    [
      "exportLinks",
      `? format=json → ${within("links", LINK)} ${within("links", MORE)}`,
      "JSON and CSV, without secrets where they are masked",
      "links-are-followed-and-retried: all links are exported",
    ],
  ],
  B22: [
    [
      "retryLink",
      `→ ${LINK} ${MORE} ! conflict not_found`,
      "of one that has not failed 409; may exceed max_retries; counters only grow",
      "links-are-followed-and-retried: only what has failed",
    ],
    ["retryLink", "! payment_required", "one that can't be paid 402", "links-are-followed-and-retried: a retry that can't be paid"],
  ],
  B23: [
    ["retryLinks", "! conflict", "none of a stopped request", "a-farm-keeps-what-it-works-on: links of a stopped request"],
    ["retryLinks", "→ success retried", "all that failed, and nothing else", "links-are-followed-and-retried: all that failed"],
    ["retryLinks", "→ retried", "of accounts that failed at the same work one", "links-are-followed-and-retried: of accounts that failed"],
  ],
  B24: [
    ["deleteLink", "", "gone for its farm; what it posted stays paid", "links-are-followed-and-retried: a deleted link"],
    ["deleteLink", "", "also when group and accounts are deleted", "links-are-followed-and-retried: what was posted stays counted"],
  ],
  B25: [
    [
      "readStats readTypeStats",
      `→ success ${STATS}`,
      "requests and links by status; stopped and canceled are additive",
      "stats-and-projects-are-true: stats count",
    ],
  ],
} as const satisfies Record<string, readonly Line[]>;
