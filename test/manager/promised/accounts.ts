import type { Line } from "../../support/promised/lines.ts";

const GROUP = "id user_id name service_type status account_count account_active result created_at updated_at";
const SECRETS = "password app_password pass_mail twofa cookies api_token";
const HAS = "has_password has_app_password has_pass_mail has_twofa has_cookies has_api_token";
const ACCOUNT = `id group_id service_type website username email active status is_indexed note link_rss created_at`;
const COUNTERS = "imported overwritten duplicates unsupported failed problems.*";
const EXPORTED = `website username email ${SECRETS} note active`
  .split(" ")
  .map((field) => `accounts.${field}`)
  .join(" ");

/** Groups, accounts and checks of the Backlink API. */
export const accountCoverage = {
  B2: [
    [
      "createGroup",
      `name service_type → ${GROUP}`,
      "201, bare without accounts; the name trimmed, 1 to 200 characters",
      "groups-are-kept: a group is made, bare",
    ],
    [
      "createGroup",
      "accounts → group.* imported skipped failed",
      "201 {group, imported, skipped, failed} with accounts",
      "groups-are-kept: a group with accounts",
    ],
    [
      "createGroup",
      "name service_type accounts ! validation unprocessable",
      "missing or of a wrong type 400, a broken rule 422",
      "groups-are-kept: what is no group",
    ],
  ],
  B3: [
    [
      "listGroups",
      `? service_type status search min_active=0 → ${GROUP}`,
      "filter together; %, _ and \\ are letters; the newest first",
      "groups-are-kept: whatever is filtered",
    ],
    ["listGroups", "? page=1 limit=20 min_active=0", "clamped; unknown words 400", "groups-are-kept: a page that is none"],
  ],
  B4: [
    [
      "readGroup changeGroup",
      `name status → ${GROUP}`,
      "read, renamed, switched off; null as a name 400",
      "groups-are-kept: a group is read",
    ],
    ["deleteGroup", "", "with its accounts, {success:true}; audited", "groups-are-kept: a group is deleted"],
    ["deleteGroup", "! conflict", "409 while a request on it runs", "groups-are-kept: while a request on a group runs"],
  ],
  B5: [
    [
      "exportGroup",
      `? format=json → name service_type ${EXPORTED}`,
      "imports again as it is, as JSON and as CSV",
      "an-export-imports-again: an export imports again",
    ],
    [
      "exportGroup",
      "? format=json",
      "without secrets where they are masked; an unknown format 400",
      "accounts-are-imported-and-exported: a masked export",
    ],
  ],
  B6: [
    [
      "importGroup",
      `service_type name accounts → group.id group.name ${COUNTERS}`,
      "keeps what is right and counts the rest, with why",
      "accounts-are-imported-and-exported: an import makes a group",
    ],
    ["importGroup", "overwrite=false", "what is twice in it", "what-is-not-said-has-its-default: what is twice"],
    ["importGroup", "accounts", "at least one", "accounts-are-imported-and-exported: an import needs accounts"],
    [
      "importGroup createGroup importAccounts",
      "skip_unsupported=true",
      "left out and counted; false: 422 with the list",
      "accounts-are-imported-and-exported: sites that no farm drives",
    ],
  ],
  B7: [
    [
      "createAccount readAccount",
      `website username email note ${SECRETS} → ${ACCOUNT} ${SECRETS} ${HAS}`,
      "201, verbatim, secrets masked and sealed",
      "accounts-are-kept: an account is made",
    ],
    [
      "createAccount",
      "! account_exists",
      "a twin by group, host and lower(username or email): 409",
      "accounts-are-kept: the same login",
      "accounts-are-kept: twenty who make",
    ],
    [
      "createAccount",
      "website username email active ! validation unprocessable not_found",
      "website and one of username or email are needed",
      "accounts-are-kept: what is no account",
    ],
    [
      "createAccount",
      "active → status",
      'on an unsupported host: 201 with status "unsupported"',
      "accounts-are-kept: an account on a site that no farm",
    ],
  ],
  B8: [
    [
      "listAccounts",
      `? status search → ${ACCOUNT} ${SECRETS} ${HAS}`,
      "active, inactive, unsupported, failed; the newest first",
      "accounts-are-kept: whatever is filtered",
    ],
  ],
  B9: [
    ["importAccounts", `accounts → ${COUNTERS}`, "five counters", "accounts-are-imported-and-exported: what is known is a duplicate"],
    [
      "importAccounts",
      "overwrite=false",
      "true updates, also within the import",
      "accounts-are-imported-and-exported: what is known is a duplicate",
    ],
    ["importAccounts", "", "all of it or nothing, in seconds", "accounts-are-imported-and-exported: ten thousand"],
    ["importAccounts", "", "at once: each account once", "accounts-are-imported-and-exported: imports of the same accounts"],
  ],
  B10: [
    [
      "checkAll",
      "→ success job_id total",
      "202 and a job; farms sign in and write the status",
      "accounts-are-checked: all accounts of a group",
    ],
    ["checkAll", "", "one open check an account", "accounts-are-checked: an account has one open check"],
    ["checkAll", "→ total", "what no farm drives is left out", "accounts-are-checked: what no farm drives"],
  ],
  B11: [
    [
      "changeAccount",
      `website username email note ${SECRETS} active → ${ACCOUNT} ${SECRETS} ${HAS}`,
      'null and has_… change nothing, "" clears',
      "accounts-are-kept: null and has_",
    ],
    ["changeAccount", "! account_exists unprocessable", "nameless, homeless or a twin", "accounts-are-kept: a change that would leave"],
    ["changeAccount", "→ status", "another secret makes a failed one active again", "accounts-are-kept: an account that could not sign in"],
    ["deleteAccount", "! not_found", "{success:true}, then 404", "accounts-are-kept: accounts are deleted"],
  ],
  B12: [
    [
      "checkAccount",
      "→ success job_id total",
      "202 and a job",
      "accounts-are-checked: an account has one open check",
      "accounts-are-checked: what no farm drives",
    ],
  ],
  B13: [
    [
      "deleteAccounts",
      "ids → results.id results.ok results.message",
      "1 to 1000 ids, an answer for each",
      "accounts-are-kept: accounts are deleted",
    ],
  ],
  B14: [
    ["exportAccounts", "ids", "those that are the caller's", "accounts-are-imported-and-exported: of the ids those"],
    [
      "exportAccounts",
      `? format=json → ${EXPORTED}`,
      "imports again as it is, as JSON and as CSV",
      "an-export-imports-again: an export imports again",
    ],
  ],
  B26: [
    ["countSites", "? type → type count", "{type, count}: hosts of active accounts, each once", "groups-are-kept: sites are counted once"],
  ],
  checks: [
    ["readJob", "→ id kind status total passed failed created_at", "how far a check is", "accounts-are-checked: all accounts of a group"],
    [
      "checks",
      "→ success id account_id domain email username password pass_mail twofa app_password api_token cookie",
      "what a sign-in needs",
      "accounts-are-checked: all accounts of a group",
    ],
    ["checks", "? limit", "what the farm drives, so many as it wants, five by default", "accounts-are-checked: a farm gets checks"],
    ["checks", "", "claimed for 15 minutes, by one", "accounts-are-checked: a check is claimed", "accounts-are-checked: many farms"],
    [
      "check",
      "ok error_message ! bad_transition task_claimed",
      "active or failed, with why",
      "accounts-are-checked: a check leaves a person's",
      "accounts-are-checked: what can't be read",
    ],
    ["changeAccount", "", "a secret that changes meanwhile is tried anew", "accounts-are-checked: a password that changes"],
    ["deleteAccount", "", "no job waits for what is gone", "accounts-are-checked: an account that is deleted"],
  ],
  secrets: [
    ["*", "", "PODCREW_REVEAL=1 shows the values", "what-is-not-said-has-its-default: the operator's switch"],
    [
      "*",
      `→ ${SECRETS}`,
      "null and has_… in answers; values with the scope secrets:read, each time audited",
      "accounts-are-kept: an owner who asks for them",
    ],
    ["*", "", "one that can't be opened is no obstacle", "accounts-are-kept: one that can't be opened"],
  ],
  owned: [["*", "! not_found not_allowed", "foreign rows are as absent as unknown ones", "groups-are-kept: nobody sees or touches"]],
} as const satisfies Record<string, readonly Line[]>;
