import type { Coverage } from "../../../support/promised/lines.ts";
import type { taskReadings } from "../readings.ts";

const TASK =
  "id serial username script_name script_config source status start_time error result.links result.link_rss created_at started_at finished_at starts_at note";
const task = (before: string): string =>
  TASK.split(" ")
    .map((field) => `${before}${field}`)
    .join(" ");
const STATS = "data.total data.pending data.running data.completed data.failed";
const ACCOUNT = "website username email password pass_mail twofa app_password api_token cookie cookies serial account_id"
  .split(" ")
  .map((field) => `accounts.${field}`)
  .join(" ");

export const taskCoverage: Coverage<keyof typeof taskReadings> = {
  T1: [
    [
      "createTasks",
      "serials usernames script_name script_config enable_multi_account=false source=api → code message data.task_ids data.created_count",
      "one task an entry; both given: usernames win; a slot's first account, or each; integer ids",
      "a-call-is-checked-before-anything-is-made: one task an entry",
    ],
    [
      "createTasks",
      "",
      "posted through the ledger, once, and the record says where",
      "a-task-of-the-farms-own-goes-the-same-way: a task is posted through the ledger",
    ],
    [
      "createTasks",
      "! 40001 40002 40003 40401",
      "all that is wrong, with its code; nothing is made then; at most 1,000 entries",
      "a-call-is-checked-before-anything-is-made: what is wrong",
    ],
  ],
  "T1 time": [
    ["createTasks", "start_time", "not before, and in that minute", "tasks-wait-for-their-time: a task of 15:03"],
    ["createTasks", "start_time", "tomorrow; over midnight; both changes of the clocks", "tasks-wait-for-their-time: what is past"],
    ["createTasks", "start_time", "what fell due meanwhile starts with the next farm", "tasks-wait-for-their-time: what fell due"],
  ],
  T2: [
    [
      "listTasks",
      `? status serial script_name source page=1 page_size=20 → code message ${task("data.tasks.")} data.total data.page data.page_size`,
      "filter together; the newest first; page_size at most 100; unknown words 40001",
      "tasks-are-listed-and-counted: lists filter together",
    ],
  ],
  T3: [["readTask", `→ code message ${task("data.")}`, "as in the list", "tasks-are-listed-and-counted: lists filter together"]],
  T4: [["deleteTask", "→ code message data.id", "stopped first; gone then", "a-stopped-task-stops: a deleted task is gone"]],
  T5: [
    [
      "deleteTasks",
      "task_ids → code message data.deleted data.missing",
      "what is not there is named; 1 to 1,000 ids",
      "a-stopped-task-stops: a deleted task is gone",
    ],
  ],
  T6: [
    [
      "stopTask",
      `→ code message ${task("data.")}`,
      "its worker is ended; one that has ended: 40001",
      "a-stopped-task-stops: a stop ends the worker",
    ],
    ["stopTask", "", "what was sent already is found and recorded", "a-stopped-task-stops: a stop at the click"],
  ],
  T7: [
    [
      "retryTask",
      `→ code message ${task("data.")}`,
      "at once, what is posted stays; not failed: 40001",
      "a-stopped-task-stops: a stop ends the worker",
    ],
  ],
  T8: [
    ["retryTasks", "→ code message data.task_ids data.retried_count", "all that have failed", "a-stopped-task-stops: all that has failed"],
  ],
  T9: [["taskStats", `→ code message ${STATS}`, "of all tasks", "tasks-are-listed-and-counted: lists filter together"]],
  T10: [
    [
      "checkLicense",
      "→ code message data.plan_name data.api_enabled data.device_limit data.message ! 40301",
      "Self-hosted has it; Starter: 40301 to every call",
      "who-may-call: the licence says the plan",
    ],
  ],
  codes: [
    ["*", "! 40001 40401", "an id that is no number 40001, one that nobody has 40401", "tasks-are-listed-and-counted: an id that is none"],
    [
      "createTasks",
      "! 40001 40002 40003 40401",
      "the envelope {code, message, data: null}",
      "a-call-is-checked-before-anything-is-made: what is wrong",
    ],
  ],
  post: [
    [
      "createTasks",
      "script_config",
      "spun once for each account, kept for retries; files only below MEDIA_DIRS",
      "a-call-is-checked-before-anything-is-made: captions are spun",
    ],
  ],
  scripts: [
    [
      "createTasks",
      "script_name script_config",
      "run in a thread of its own; its configuration is checked at once",
      "a-drivers-script-makes-episodes.slow: what a user's driver exports",
    ],
    ["", "", "a driver with scripts that are none is not used", "a-drivers-script-makes-episodes.slow: a driver whose scripts are none"],
  ],
  accounts: [
    [
      "importAccounts",
      `${ACCOUNT} → code message data.imported data.updated data.failed data.problems.row data.problems.problem`,
      "sealed; null changes nothing, blank clears",
      "accounts-are-kept-sealed: secrets are sealed",
    ],
    [
      "listAccounts",
      "→ code message data.accounts.website data.accounts.username data.accounts.email data.accounts.serial data.accounts.account_id data.accounts.created_at",
      "without secrets",
      "accounts-are-kept-sealed: secrets are sealed",
    ],
    ["removeAccount listDevices", "username ! 40901", "not while a task is for it", "accounts-are-kept-sealed: a row that is wrong"],
    ["removeAccount", "→ code message data.username", "named", "accounts-are-kept-sealed: a row that is wrong"],
    [
      "listDevices",
      "→ code message data.devices.serial data.devices.accounts data.devices.running",
      "slots of this farm, and those that accounts name",
      "accounts-are-kept-sealed: a row that is wrong",
    ],
    [
      "importAccounts listAccounts removeAccount",
      "! 40100",
      "only for who can read the data folder",
      "accounts-are-kept-sealed: only who can read",
    ],
    [
      "createTasks",
      "usernames",
      "a name that several have is asked about",
      "a-call-is-checked-before-anything-is-made: a name that several",
    ],
  ],
  ledger: [
    ["", "", "a manager can't bring a task under an id of ours", "two-sources-never-mix: a manager that calls a task"],
    ["", "", "a manager that is down or refuses the key holds up none of ours", "two-sources-never-mix: a manager that is down"],
    ["", "", "kill -9 at the click: looked up, posted once", "two-sources-never-mix: a farm that dies"],
    ["", "", "one session a login, whichever source knows it", "two-sources-never-mix: a login that both"],
    ["", "", "reports of an earlier attempt", "two-sources-never-mix: a late word"],
  ],
  note: [["readTask", "", "status 1 and why", "two-sources-never-mix: a task that waits for a person"]],
  hosts: [["*", "! 40300 41301 41501", "403, 413, 415", "who-may-call: other hosts"]],
  token: [["*", "! 40100 42901", "401, 429", "who-may-call: with TASK_TOKEN"]],
  docs: [["", "", "made of the same tables", "who-may-call: the port describes"]],
};
