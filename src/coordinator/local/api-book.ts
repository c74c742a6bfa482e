import { html } from "ghtml";
import { taskRoutes, type TaskNeeds } from "../../contract/task-api.ts";
import type { ApiBook } from "../../kit/api/book.ts";
import { taskErrors } from "./errors.ts";

const begin = html`<p>
    Accounts come from a file; what they sign in with is sealed on arrival. A task is for one account, which its name or its slot says.
  </p>
  <pre><code>podcrew accounts import accounts.csv
FARM=http://127.0.0.1:50809
curl -X POST "$FARM/api/v1/task" -H "Content-Type: application/json"   -d '{"usernames":["maya@example.com"],"script_name":"post","script_config":{"captions":"{Good|Fine} morning"}}'
curl "$FARM/api/v1/task?status=1"</code></pre>
  <p>
    The port is bound to this machine, and calls from pages of other sites are refused. Where TASK_TOKEN is set it is needed as
    <code>Authorization: Bearer …</code>. Bodies are JSON of at most 1 MiB, those of imports 32 MiB. Times are ISO 8601 in UTC, ids are
    whole numbers; a page or page_size out of range is the nearest that is possible.
  </p>`;

/** All that is said of what the farm's port answers about tasks. */
export const taskApiBook: ApiBook<TaskNeeds> = {
  title: "Podcrew tasks",
  about: "Tasks on the farm's own accounts, without a manager.",
  sections: [
    {
      title: "Tasks",
      about:
        "A task that waits for a person, or for a look at the site, shows as running, with a note. A retry posts only what is not on the site yet.",
      prefix: "/api/v1",
      routes: taskRoutes,
    },
  ],
  permissions: {
    caller: { who: "For whoever reaches the port, or knows TASK_TOKEN where there is one.", header: "", security: [{}, { token: [] }] },
    folder: {
      who: "For whoever can read farm-token in the farm's data folder.",
      header: "Authorization: Bearer $TOKEN",
      security: [{ token: [] }],
    },
  },
  securitySchemes: { token: { type: "http", scheme: "bearer" } },
  refusals: {
    says: html`Whatever is refused answers <code>{"code", "message", "data": null}</code>. The HTTP status is the code's first three digits.`,
    schema: {
      type: "object",
      required: ["code", "message", "data"],
      properties: { code: { type: "integer" }, message: { type: "string" }, data: { type: "null" } },
    },
    rows: Object.entries(taskErrors).map(([code, say]) => ({ code, status: Math.floor(Number(code) / 100), say })),
  },
  begin,
  variable: "FARM",
  examples: {
    usernames: ["maya@example.com"],
    script_name: "post",
    script_config: { title: "A cup of tea", captions: "{Good|Fine} morning", material_list: ["https://example.com/ep-1.mp3"] },
    start_time: "07:30",
    task_ids: [1, 2],
    accounts: [{ website: "studio.example.com", email: "maya@example.com", password: "…" }],
    username: "maya@example.com",
  },
  parameter: () => ({ type: "integer" }),
};
