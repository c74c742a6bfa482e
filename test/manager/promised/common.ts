import type { commonReadings } from "../readings.ts";
import type { Coverage } from "../../support/promised/lines.ts";

const RULES = "each-route-keeps-the-rules";

/** What holds of all routes alike, and signing in. */
export const commonCoverage: Coverage<keyof typeof commonReadings> = {
  "every route": [
    [
      "*",
      "→ success",
      "answers as the document says",
      "each-route-answers-as-it-says: answers a valid call",
      "each-route-answers-as-it-says: is a call of the client",
    ],
    ["*", "! NO_API_KEY INVALID_API_KEY NO_TOKEN invalid_token", "401 before anything else is looked at", `${RULES}: without credentials`],
    ["*", "! forbidden not_allowed", "403 for a scope or a role that is not enough", `${RULES}: whose scope or role`],
    ["*", "! not_found", "unknown addresses answer JSON", `${RULES}: an address that is nobody's`],
  ],
  "every id": [["*", "! not_found task_not_found", "unknown, foreign or no UUID: 404", `${RULES}: what is unknown, foreign`]],
  "every list": [
    [
      "*",
      "? page=1 limit=20 → total page limit",
      "below 1: 1; above the maximum: 100; no number: 400; total is exact",
      `${RULES}: page and limit`,
    ],
    [
      "*",
      "? sort=created_at order=desc format=json status service_type type",
      "unknown words 400, blank is any",
      `${RULES}: sort, order, filters`,
    ],
    ["*", "? sort=created_at order=desc", "each column of the white list, up and down, no row twice", `${RULES}: each column sorts`],
    ["*", "? search", "a NUL is 400, too long 422", `${RULES}: sort, order, filters`],
  ],
  "every body": [
    ["*", "! malformed_json nul_character validation", "400", `${RULES}: what is no JSON`, `${RULES}: a field of the wrong type`],
    ["*", "", "fields that nobody knows change nothing", `${RULES}: fields that nobody knows`],
    ["*", "! body_too_large", "1 MiB, imports 32 MiB", `${RULES}: over 1 MiB`],
    ["*", "name title ids ! unprocessable", "ids 1 to 1000; names trimmed, 1 to 200 characters", `${RULES}: ids are 1 to 1000`],
  ],
  "every type": [["*", "! not_found", "entity, social, blog20, podcast, stacking, indexing; another: 404", `${RULES}: there are six`]],
  "sign-in": [
    [
      "login",
      "email password → success token expires_at refresh_token refresh_expires_at",
      "a token for an hour",
      "people-sign-in: a password brings a token",
    ],
    [
      "me",
      "→ success user.id user.email user.role credits scope ! token_expired",
      "who is signed in, and the credits",
      "people-sign-in: a password brings a token",
    ],
    [
      "login",
      "! wrong_login too_many",
      "10 tries a minute for an address and an e-mail, then 429 with Retry-After",
      "people-sign-in: a wrong password",
    ],
    [
      "refresh logout",
      "refresh_token → success token expires_at refresh_token refresh_expires_at ! invalid_token",
      "good for one exchange",
      "people-sign-in: a refresh token is good",
    ],
    ["me", "! invalid_token NO_TOKEN", "forged tokens open nothing", "people-sign-in: a token that was changed"],
    ["login", "scope ! not_allowed unprocessable", "secrets:read for owners", "people-sign-in: a viewer reads"],
    ["me", "", "a user that is removed is out at once", "people-sign-in: a user that is removed"],
    ["login", "! busy", "more than can be looked at: 503 with Retry-After", "people-login-limit: of a flood of sign-ins"],
    [
      "listAudit",
      "? page=1 limit=20 action search → success id at email action what how_many total page limit",
      "what was deleted, exported, seen and changed, by whom; an owner's own",
      "people-audit: deletes, exports and seen secrets",
      "people-audit: the log is an owner's own",
    ],
  ],
  described: [
    ["*", "", "the document is valid OpenAPI 3.1", "the-api-describes-itself: the OpenAPI document is one"],
    ["*", "", "the page names every call", "the-api-describes-itself: the page for readers"],
    ["*", "", "the client signs in by itself", "the-api-describes-itself: the client signs in"],
  ],
};
