import type { readings } from "../readings.ts";
import type { Coverage } from "../../support/promised/lines.ts";

const CREDENTIALS = "email username password pass_mail twofa app_password cookie api_token";

/** The Podcast worker API. */
export const workerCoverage: Coverage<keyof typeof readings> = {
  W1: [
    ["pull", "? type limit", "?type=primary&limit=5; five where limit is absent", "a-pull-is-a-claim: a pull hands out tasks, five"],
    ["pull", "→ success", "{success:true, data:[task]}", "each-route-answers-as-it-says: answers a valid call"],
  ],
  "W1 type": [
    ["pull", "? type", "blank: both kinds; an unknown word: 400", "a-pull-is-a-claim: blank is both kinds"],
    ["pull", "? type", "primary and secondary are told apart", "a-secondary-imports-its-primarys-feed: a secondary is held"],
  ],
  limit: [["pull", "? limit", "0 is 1, 5000 is 1000, no number is 400", "a-pull-is-a-claim: 0 and less are 1"]],
  W2: [
    [
      "pull read",
      `→ id request_id type_request account_id group_id target domain website ${CREDENTIALS}`,
      "the fields of the text; target is the request's, whatever the number of episodes",
      "a-task-carries-all-that-a-worker-needs: a task shows account",
    ],
    [
      "pull read",
      "→ kind link_id link_rss link_post note error_message retry_count max_retries lease_until",
      "what is additive",
      "a-task-carries-all-that-a-worker-needs: a task shows account",
    ],
  ],
  W3: [
    [
      "pull read",
      "→ status",
      "queued, running, completed, failed or cancel",
      "what-is-not-said-has-its-default: a task is queued",
      "a-start-is-exclusive: a start makes the task running",
    ],
  ],
  W4: [
    [
      "pull read",
      "→ data_content.id data_content.title data_content.about data_content.image_url",
      "episodes in order, each with a UUID of its own where it was given none, verbatim",
      "a-task-carries-all-that-a-worker-needs: a task shows account",
    ],
    [
      "pull read",
      "→ data_content.audio_url data_content.language data_content.voice",
      "additive, absent where they were not given",
      "a-task-carries-all-that-a-worker-needs: a task shows account",
    ],
  ],
  W5: [
    [
      "read",
      "→ success",
      "one object, as the list shows it; our manager wraps it",
      "a-task-carries-all-that-a-worker-needs: one task is read",
    ],
  ],
  W6: [["start", "→ success", "idempotent, becomes running, {success:true}", "a-start-is-exclusive: a start makes the task running"]],
  W7: [
    [
      "complete",
      "link_post note → success",
      "running becomes completed with both",
      "a-late-complete-is-a-fact: a running task is completed",
    ],
    ["complete", "", "credentials and link_rss are ignored", "a-late-complete-is-a-fact: credentials and link_rss"],
    ["complete", "link_post", "missing 400, no address 422", "a-late-complete-is-a-fact: link_post has to be there"],
  ],
  W8: [
    [
      "account",
      "link_rss cookie email password pass_mail twofa app_password api_token → success account_id updated_fields",
      "each field reaches the account, which is found by the task",
      "an-account-is-kept-up-to-date: after complete the feed",
    ],
  ],
  W9: [["fail", "error_message → success", "{success:true}; the text is kept", "a-failed-task-comes-back: a failed task is queued again"]],
  W10: [["complete account", "link_rss", "complete, then account with the feed", "an-account-is-kept-up-to-date: after complete the feed"]],
  secondary: [
    [
      "pull read",
      "→ id status link_rss data_content.*",
      "id = account id, link_rss, no data_content",
      "a-secondary-imports-its-primarys-feed: a secondary is held",
    ],
    [
      "pull read",
      "→ feed_email feed_app_password feed_pass_mail",
      "the mailbox of whoever owns the feed",
      "a-secondary-imports-its-primarys-feed: a secondary is held",
    ],
    [
      "pull start",
      "→ status",
      "claimed for 15 minutes, queued while it is open",
      "a-secondary-imports-its-primarys-feed: pulled is claimed",
    ],
    [
      "pull",
      "",
      "canceled and failed like any task",
      "a-secondary-imports-its-primarys-feed: a canceled one",
      "a-secondary-imports-its-primarys-feed: it fails and comes back",
    ],
  ],
  insert: [
    [
      "insert",
      "id account_id link_post note → success id account_id",
      "finishes a secondary; a repeat is 200, another link 409",
      "a-secondary-imports-its-primarys-feed: a secondary ends by complete",
    ],
  ],
  auth: [
    ["*", "! NO_API_KEY INVALID_API_KEY", "401 before path, id and body are looked at", "auth-comes-first: without a valid key"],
    ["*", "! forbidden", "403 without the scope worker", "auth-comes-first: a key made for something else"],
  ],
  keys: [["", "", "kept as a hash, shown once, revocable", "auth-comes-first: a key is shown once"]],
  bodies: [
    [
      "*",
      "! malformed_json nul_character validation body_too_large",
      "400 and 413, told apart",
      "auth-comes-first: what can't be read is told apart",
    ],
    ["*", "", "JSON whatever the content type says", "auth-comes-first: an escaped backslash"],
  ],
  "404": [
    ["*", "! not_found task_not_found", 'unknown paths; "task not found" for unknown ids', "auth-comes-first: unknown paths and ids"],
  ],
  headers: [["*", "", "X-Worker-Id of more than 100 characters: 422", "auth-comes-first: a worker's name"]],
  lease: [
    ["pull", "", "15 minutes; nobody else's meanwhile; out: eligible again", "a-pull-is-a-claim: a pulled task is nobody else's"],
    ["start", "", "a running task whose lease ran out is queued again", "a-pull-is-a-claim: a running task whose lease"],
    ["*", "", "any call of the holder renews it, nobody else's", "a-pull-is-a-claim: every call of the holder"],
  ],
  holder: [["pull", "", "(API key, X-Worker-Id); without the header the key alone", "a-pull-is-a-claim: is the API key together"]],
  "own again": [
    ["pull", "", "the holder's pull shows its claimed tasks again", "a-pull-is-a-claim: a holder whose answer was lost"],
    ["pull", "", "and its running ones", "a-pull-is-a-claim: its running tasks are shown too"],
  ],
  priority: [["pull", "", "higher first, then age", "a-pull-is-a-claim: higher first"]],
  race: [
    ["pull", "", "no task goes to two", "a-pull-is-a-claim: twenty workers pull"],
    ["pull", "", "nor one account's tasks", "an-account-is-with-one-farm: of an account that one farm works on"],
    ["pull checks", "", "nor its tasks and its check", "an-account-is-with-one-farm: farms that pull at once"],
    ["start", "", "one of twenty wins", "a-pull-is-a-claim: twenty workers start"],
  ],
  sites: [
    ["pull", "", "X-Worker-Sites filters; unsupported once some farm has announced", "a-pull-is-a-claim: X-Worker-Sites"],
    ["pull", "", "posting and importing are remembered apart", "a-secondary-imports-its-primarys-feed: what a farm can import"],
  ],
  "no HEAD": [["pull", "", "only a GET claims", "a-pull-is-a-claim: looking at the list's headers"]],
  blank: [
    [
      "pull",
      "→ email password pass_mail twofa app_password cookie",
      'blank credentials are ""',
      "a-task-carries-all-that-a-worker-needs: absent credentials",
    ],
  ],
  domain: [["pull", "→ domain", "with the port where it is not the default", "a-task-carries-all-that-a-worker-needs: carries the port"]],
  accounts_remaining: [
    [
      "pull read",
      "→ accounts_remaining",
      "accounts of the group without a task of the request",
      "a-task-carries-all-that-a-worker-needs: counts the accounts",
    ],
    [
      "pull read",
      "→ accounts_remaining",
      "one that waits to import is left",
      "a-secondary-imports-its-primarys-feed: an account that waits",
    ],
  ],
  start: [
    ["start", "", "an unclaimed one is claimed by it", "a-start-is-exclusive: of what nobody holds"],
    ["start", "! task_claimed", "409 under another's lease", "a-start-is-exclusive: of what another holds"],
    ["start", "! bad_transition", "409 when it has ended", "a-start-is-exclusive: of a task that has ended"],
  ],
  person: [["start", "", "every five minutes keeps a task that waits for a person", "a-start-is-exclusive: a farm that holds a task"]],
  "complete again": [["complete", "! link_post_differs", "same link 200, another 409", "a-late-complete-is-a-fact: the same link is 200"]],
  "complete not running": [
    ["complete", "! bad_transition", "409 by who never started it", "a-late-complete-is-a-fact: by somebody who never"],
  ],
  "late complete": [
    ["complete", "", "of a former holder counts, also after cancel", "a-late-complete-is-a-fact: of a former holder counts"],
  ],
  updated_fields: [["account", "→ updated_fields", "how many changed value", "an-account-is-kept-up-to-date: counts what changed"]],
  username: [["account", "", "never overridden; unknown fields are ignored", "an-account-is-kept-up-to-date: is never overridden"]],
  masked: [["account", "", 'null changes nothing, "" clears', "an-account-is-kept-up-to-date: null changes nothing"]],
  "account body": [
    [
      "account",
      "! empty_body validation unprocessable",
      "empty 400, wrong type 400, no address 422",
      "an-account-is-kept-up-to-date: empty is 400",
    ],
  ],
  account: [
    ["account", "", "needs no lease and no state", "an-account-is-kept-up-to-date: needs no lease"],
    ["account", "! account_exists", "a neighbour's e-mail is 409", "an-account-is-kept-up-to-date: an e-mail that belongs"],
  ],
  sealed: [
    ["*", "", "no secret stands in the database, nor in texts of errors", "an-account-is-kept-up-to-date: no secret stands"],
    ["pull", "", "one that can't be opened holds only its own task up", "an-account-is-kept-up-to-date: an account with damaged"],
  ],
  retry: [["fail", "→ success", "queued again after 1, 2, 4 minutes; four attempts", "a-failed-task-comes-back: a failed task is queued"]],
  permanent: [
    ["fail", "code retry", "retry:false or a permanent code ends it", "a-failed-task-comes-back: retry:false"],
    [
      "fail",
      "code",
      "a refused account is failed, and not chosen again",
      "a-refused-account-is-not-asked-again: an account whose password",
    ],
    ["fail", "code", "other secrets or a check bring it back", "a-refused-account-is-not-asked-again: other secrets"],
  ],
  posted: [
    ["fail", "posted", "whoever takes over gets the rest", "what-is-posted-is-not-handed-on: who takes over"],
    ["fail", "posted", "so does the next try", "what-is-posted-is-not-handed-on: the same account"],
    ["fail", "posted", "a restart hands out the rest", "what-is-posted-is-not-handed-on: a restart"],
    ["fail", "posted", "it may be absent", "what-is-posted-is-not-handed-on: farms that say nothing"],
    ["fail", "posted", "nothing is posted or charged twice", "what-is-posted-is-not-handed-on: farms that post whatever"],
  ],
  fail: [
    ["fail", "! task_claimed", "only the holder", "a-failed-task-comes-back: only the holder gives"],
    ["fail", "", "the last holder still may, late", "a-failed-task-comes-back: before the start"],
    [
      "fail",
      "! bad_transition validation unprocessable",
      "of a completed or canceled one 409; without error_message 400",
      "a-failed-task-comes-back: of a completed or canceled",
    ],
  ],
  "fail again": [["fail", "", "counts once", "a-failed-task-comes-back: a report whose answer was lost"]],
  cancel: [
    ["read pull", "→ status", 'shown as "cancel", never handed out', "people-make-cancel-and-delete-tasks: is seen on the next read"],
    ["complete", "", "what is posted stays posted", "people-make-cancel-and-delete-tasks: of a completed task is refused"],
  ],
  deleted: [["*", "! task_not_found", "404 to every call", "people-make-cancel-and-delete-tasks: a deleted task answers"]],
  make: [
    ["", "", "an account is known by group, site and lower(username or email)", "people-make-cancel-and-delete-tasks: an account is known"],
    ["", "", "the same request and account give the same task", "people-make-cancel-and-delete-tasks: the same request"],
    [
      "",
      "",
      "bad input is refused as a whole",
      "people-make-cancel-and-delete-tasks: bad input",
      "people-make-cancel-and-delete-tasks: an id that is no UUID",
    ],
    ["", "", "the same for imports", "a-secondary-imports-its-primarys-feed: an import needs its request"],
  ],
  history: [["*", "", "each call that was accepted or refused, without secrets", "the-manager-keeps-and-shows-a-record: every accepted"]],
  metrics: [["", "", "tasks by status, calls by answer", "the-manager-keeps-and-shows-a-record: tasks by status"]],
  health: [["", "", "/healthz and /readyz", "the-manager-keeps-and-shows-a-record: /healthz"]],
  flood: [["*", "", "three hundred calls at once", "the-manager-keeps-and-shows-a-record: three hundred"]],
  "first key": [
    ["", "", "manager.json, 0600, at the first start", "the-manager-keeps-and-shows-a-record: the first start writes"],
    ["", "", "a folder that can't be written is one sentence", "the-manager-keeps-and-shows-a-record: a folder that can't"],
  ],
  migrations: [
    [
      "",
      "",
      "up, down and up again",
      "the-manager-keeps-and-shows-a-record: go up, down",
      "a-secondary-imports-its-primarys-feed: imports go up",
    ],
  ],
};
