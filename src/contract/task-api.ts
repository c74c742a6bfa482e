import { z } from "zod";
import { anyOf, limit, page, queryText, text, type ApiRoutes } from "./api-route.ts";

/**
 * The Task API (`/api/v1` on the farm's port), rows T1-T10: tasks on the farm's own accounts, without a manager. Every answer is
 * `{code, message, data}`; the HTTP status is the code's first three digits, and 200 for 0.
 */
export type TaskNeeds = "caller" | "folder";

/** As the API counts them. One that waits for a person or for a look shows as running, with a note. */
export const taskStatuses = ["pending", "running", "completed", "failed"] as const;
export type TaskStatus = (typeof taskStatuses)[number];
export const taskSources = ["ui", "api"] as const;
export type TaskSource = (typeof taskSources)[number];

/** Of serials, usernames or ids in one call. */
export const MOST_TASKS = 1000;
/** Of what a script makes for one call. */
export const MOST_MADE_CHARACTERS = 32 * 1024 * 1024;

const answered = <Data extends z.ZodType>(data: Data) => z.object({ code: z.literal(0), message: z.literal("success"), data });

const names = z.array(text.min(1, "is empty").max(400)).max(MOST_TASKS, `more than ${MOST_TASKS} at once`);
const ids = z.array(z.number().int().min(1)).min(1).max(MOST_TASKS, `more than ${MOST_TASKS} at once`);

/** T1. */
export const createTaskBody = z.object({
  serials: names.optional().describe("slots of this farm, as /device lists them; needed without usernames"),
  usernames: names
    .optional()
    .describe("accounts, by their name or e-mail, or host/name where several have it; before serials where both are given"),
  script_name: text.trim().min(1).describe('"post", or a script that the driver of the account\'s site exports'),
  script_config: z.record(z.string(), z.unknown()).describe("what the script takes; 64 KiB of JSON at most"),
  enable_multi_account: z.boolean().default(false).describe("one task for each account of a slot, not only for its first"),
  start_time: z.string().optional().describe('"HH:MM" in the farm\'s TIME_ZONE; past: tomorrow'),
  source: z.enum(taskSources).default("api").describe("who makes it: a program, or a person"),
});
export type CreateTask = z.output<typeof createTaskBody>;

/** Of the script `post`. Unknown fields are kept. */
export const postConfig = z.looseObject({
  content_type: z.union([z.literal(0), z.literal(1)], "0 (recording) or 1 (pictures)").optional(),
  captions: text.default("").describe("the text, with choices such as {a|b}"),
  material_list: z
    .array(text)
    .max(100)
    .default([])
    .describe("its first picture and its first recording: addresses, or files below MEDIA_DIRS"),
  upload_wait_time: z.number().min(0).max(86_400).optional().describe("an upper bound: nothing waits for longer than it has to"),
  title: text.default("").describe("absent: the first line of the captions"),
  language: text.max(35).optional().describe("of the narration"),
  voice: text.max(100).optional().describe("of the narration"),
});
export type PostConfig = z.output<typeof postConfig>;

const material = z.string().max(100_000);
/** An episode as a script makes it: it has no id before it is a task's. `about` is HTML. */
export const scriptedEpisode = z.object({
  title: z.string().max(10_000).regex(/\S/, "is empty"),
  about: z.string().max(1_000_000).default(""),
  image_url: material.default(""),
  audio_url: material.optional(),
  language: material.optional(),
  voice: material.optional(),
});
export type ScriptedEpisode = z.output<typeof scriptedEpisode>;
export const scriptedList = z.array(scriptedEpisode).min(1, "no episodes").max(100, "more than 100 episodes");
/** One list of episodes for each account; or what is wrong with the configuration, which is the caller's; or with the script. */
export const scriptAnswer = z.union([
  z.object({ lists: z.array(scriptedList) }),
  z.object({ problem: z.string() }),
  z.object({ broken: z.string() }),
]);
export type ScriptAnswer = z.output<typeof scriptAnswer>;

export const taskView = z.object({
  id: z.number().int(),
  serial: z.string(),
  username: z.string(),
  script_name: z.string(),
  script_config: z.record(z.string(), z.unknown()),
  source: z.enum(taskSources),
  status: z.number().int().min(0).max(3).describe("0 pending, 1 running, 2 completed, 3 failed"),
  start_time: z.string().nullable(),
  error: z.string().nullable().describe('why it failed; "stopped" where somebody stopped it'),
  result: z
    .object({ links: z.array(z.string()), link_rss: z.string().nullable() })
    .nullable()
    .describe("what is on the site"),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
  starts_at: z.iso.datetime().nullable().describe("when start_time is"),
  note: z.string().nullable().describe("what it waits for"),
});
export type TaskView = z.infer<typeof taskView>;

/** "0" to "3"; "" and absent mean any. */
const status = anyOf(["0", "1", "2", "3"]).transform((digit) => (digit === null ? null : (taskStatuses[Number(digit)] ?? null)));

export const taskStats = z.object({
  total: z.number(),
  pending: z.number(),
  running: z.number(),
  completed: z.number(),
  failed: z.number(),
});
export type TaskStats = z.infer<typeof taskStats>;

export const license = z.object({ plan_name: z.string(), api_enabled: z.boolean(), device_limit: z.number().int(), message: z.string() });

export const device = z.object({
  serial: z.string(),
  accounts: z.array(z.string()).describe("its own, in the order in which they came; a task for the slot is for the first"),
  running: z.number().int().describe("tasks at work on it"),
});

const optionalText = text.nullish();
/** An account of the farm's own book. Secrets that are null stay as they are, "" clears one. */
export const accountRow = z.object({
  website: text.min(1, "is empty").max(400).describe("the site's host"),
  username: optionalText,
  email: optionalText,
  password: optionalText,
  pass_mail: optionalText,
  twofa: optionalText,
  app_password: optionalText,
  api_token: optionalText,
  cookie: optionalText,
  cookies: optionalText.describe("the same as cookie"),
  serial: optionalText.describe("its slot; absent: the one with the fewest accounts"),
  account_id: optionalText.describe("by which a manager knows the same account, so that both share its session and its turn"),
});
export type AccountRow = z.infer<typeof accountRow>;

export const accountView = z.object({
  website: z.string(),
  username: z.string(),
  email: z.string(),
  serial: z.string(),
  account_id: z.string(),
  created_at: z.iso.datetime(),
});

const IMPORT_LIMIT_BYTES = 32 * 1024 * 1024;

export const taskRoutes = {
  createTasks: {
    method: "POST",
    path: "/task",
    row: "T1",
    needs: "caller",
    summary: "One task for each account, now or at a time of day",
    body: createTaskBody,
    answer: answered(z.object({ task_ids: z.array(z.number().int()), created_count: z.number().int() })),
  },
  listTasks: {
    method: "GET",
    path: "/task",
    row: "T2",
    needs: "caller",
    summary: "Tasks, the newest first",
    query: z.object({
      status: status.describe("0 | 1 | 2 | 3"),
      serial: queryText({ most: 400 }),
      script_name: queryText({ most: 400 }),
      source: anyOf(taskSources),
      page,
      page_size: limit,
    }),
    answer: answered(z.object({ tasks: z.array(taskView), total: z.number(), page: z.number(), page_size: z.number() })),
  },
  readTask: { method: "GET", path: "/task/:id", row: "T3", needs: "caller", summary: "One task", answer: answered(taskView) },
  deleteTask: {
    method: "DELETE",
    path: "/task/:id",
    row: "T4",
    needs: "caller",
    summary: "Deletes a task; one at work is stopped first",
    answer: answered(z.object({ id: z.number().int() })),
  },
  deleteTasks: {
    method: "DELETE",
    path: "/task/batch",
    row: "T5",
    needs: "caller",
    summary: "Deletes several tasks; those at work are stopped first",
    body: z.object({ task_ids: ids }),
    answer: answered(z.object({ deleted: z.array(z.number().int()), missing: z.array(z.number().int()) })),
  },
  stopTask: {
    method: "POST",
    path: "/task/:id/stop",
    row: "T6",
    needs: "caller",
    summary: 'Stops a task that has not ended: it is failed then, with the error "stopped"',
    answer: answered(taskView),
  },
  retryTask: {
    method: "POST",
    path: "/task/:id/retry",
    row: "T7",
    needs: "caller",
    summary: "Runs a failed task again",
    answer: answered(taskView),
  },
  retryTasks: {
    method: "POST",
    path: "/task/retry-all",
    row: "T8",
    needs: "caller",
    summary: "Runs all failed tasks again",
    answer: answered(z.object({ task_ids: z.array(z.number().int()), retried_count: z.number().int() })),
  },
  taskStats: {
    method: "GET",
    path: "/task/stats",
    row: "T9",
    needs: "caller",
    summary: "How many tasks there are",
    answer: answered(taskStats),
  },
  checkLicense: {
    method: "GET",
    path: "/license/check",
    row: "T10",
    needs: "caller",
    summary: "Whether the plan has the API",
    answer: answered(license),
  },
  listDevices: {
    method: "GET",
    path: "/device",
    needs: "caller",
    summary: "The slots of this farm, with their accounts",
    answer: answered(z.object({ devices: z.array(device) })),
  },
  listAccounts: {
    method: "GET",
    path: "/account",
    needs: "folder",
    summary: "The farm's own accounts, without secrets",
    answer: answered(z.object({ accounts: z.array(accountView) })),
  },
  importAccounts: {
    method: "POST",
    path: "/account/import",
    needs: "folder",
    summary: "Brings accounts in, or changes the secrets of those that are there",
    body: z.object({ accounts: z.array(accountRow).min(1).max(10_000) }),
    bodyLimitBytes: IMPORT_LIMIT_BYTES,
    answer: answered(
      z.object({
        imported: z.number().int(),
        updated: z.number().int(),
        failed: z.number().int(),
        problems: z.array(z.object({ row: z.number().int(), problem: z.string() })),
      }),
    ),
  },
  removeAccount: {
    method: "POST",
    path: "/account/remove",
    needs: "folder",
    summary: "Forgets an account that no open task is for",
    body: z.object({ username: text.min(1).max(400) }),
    answer: answered(z.object({ username: z.string() })),
  },
} as const satisfies ApiRoutes<TaskNeeds>;
