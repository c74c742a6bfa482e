import type { Command } from "commander";
import type { Config } from "../kit/config.ts";
import type { CreateOptions } from "./tasks.ts";

type Wire = (command: Command, action: (config: Config, options: Record<string, unknown>, args: string[]) => Promise<number>) => void;

const collect = (one: string, before: string[] = []): string[] => [...before, ...one.split(",").map((part) => part.trim())];
const each = (one: string, before: string[] = []): string[] => [...before, one];

/** What one does with the farm's own tasks and accounts. */
export function addTaskCommands(podcrew: Command, wire: Wire): void {
  const task = podcrew.command("task").description("tasks of the running farm's own, without a manager");
  wire(
    task
      .command("create")
      .option("--username <names>", "accounts, several with commas", collect)
      .option("--serial <slots>", "slots of the farm, several with commas", collect)
      .option("--multi-account", "for each account of a slot, not only for its first")
      .option("--script <name>", "what is to be done", "post")
      .option("--captions <text>", "the text, with choices such as {a|b}; its first line is the title unless --title is given")
      .option("--title <text>")
      .option("--material <address>", "a picture or a recording: an address, or a file below MEDIA_DIRS; may be given again", each)
      .option("--config <json>", "the script's configuration as JSON, or @FILE; the options above win over it")
      .option("--at <time>", "HH:MM in the farm's TIME_ZONE; past: tomorrow")
      .option("--json", "as JSON")
      .description("one task for each account"),
    async (config, options) => (await import("./tasks.ts")).createTasks(config, options as unknown as CreateOptions),
  );
  wire(
    task
      .command("list")
      .option("--status <status>", "pending, running, completed or failed")
      .option("--serial <slot>")
      .option("--script <name>")
      .option("--source <source>", "ui or api")
      .option("--page <n>")
      .option("--page-size <n>", "20, at most 100")
      .option("--json", "as JSON")
      .description("tasks, the newest first"),
    async (config, options) => (await import("./tasks.ts")).listTasks(config, options),
  );
  wire(task.command("stop").argument("<id>").description("stop a task that has not ended"), async (config, _options, [id = ""]) =>
    (await import("./tasks.ts")).stopTask(config, id),
  );
  wire(
    task.command("retry").argument("[id]", "absent: all that have failed").description("run failed tasks again; what is posted stays"),
    async (config, _options, [id]) => (await import("./tasks.ts")).retryTasks(config, id),
  );
  wire(
    task.command("delete").argument("<ids...>").description("delete tasks; those at work are stopped first"),
    async (config, _options, ids) => (await import("./tasks.ts")).deleteTasks(config, ids),
  );
  wire(
    task
      .command("stats")
      .option("--watch", "until nothing is open")
      .option("--json", "as JSON")
      .description("how many tasks there are, by status"),
    async (config, options) => (await import("./tasks.ts")).showStats(config, options),
  );

  const accounts = podcrew.command("accounts").description("the farm's own accounts on sites");
  wire(
    accounts
      .command("import")
      .argument("<file>", "CSV with a line of names, or JSON: website, email or username, password, …, serial")
      .description("bring accounts in, or change the secrets of those that are there"),
    async (config, _options, [file = ""]) => (await import("./tasks-accounts.ts")).importAccounts(config, file),
  );
  wire(accounts.command("list").description("all of them, without secrets"), async (config) =>
    (await import("./tasks-accounts.ts")).listAccounts(config),
  );
  wire(
    accounts.command("remove").argument("<name>").description("forget an account that no open task is for"),
    async (config, _options, [name = ""]) => (await import("./tasks-accounts.ts")).removeAccount(config, name),
  );
}
