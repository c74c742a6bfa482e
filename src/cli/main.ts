#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { loadConfig, UsageError, type Config } from "../kit/config.ts";
import { redact } from "../kit/redact.ts";
import { settings } from "../kit/settings.ts";
import { addDriverCommands } from "./driver/commands.ts";

/** Options of every command: one flag per setting (`--manager-port 9000`), named as in podcrew.config. */
function addSettings(
  command: Command,
  names: readonly (keyof typeof settings)[] = Object.keys(settings) as (keyof typeof settings)[],
): Command {
  for (const name of names) {
    const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const { say, env } = settings[name];
    command.addOption(new Option(name === "headed" ? `--${flag}` : `--${flag} <value>`, `${say} (${env})`));
  }
  return command;
}

function packageVersion(): string {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")) as { version: string }).version;
    } catch {
      // The built package lies one folder deeper.
    }
  }
  return "unknown";
}

type Action = (config: Config, options: Record<string, unknown>, args: string[]) => Promise<number>;

/** Commands load their parts on demand: `podcrew --help` starts no database. */
function wire(command: Command, action: Action): void {
  addSettings(command).action(async (...given: unknown[]) => {
    const args = given.slice(0, -2).flat() as string[];
    const options = given.at(-2) as Record<string, unknown>;
    process.exitCode = await action(await loadConfig(options), options, args);
  });
}

function program(): Command {
  const podcrew = new Command("podcrew")
    .description("A crew of browsers that publishes podcasts.")
    .version(packageVersion())
    .showHelpAfterError("(podcrew --help shows all commands)");
  const once = (command: Command): Command =>
    command
      .option("--once", "end when all is posted: exit code 0, or 1 when something could not be")
      .option("--json", "print the result as one JSON line on stdout");

  wire(
    once(podcrew.command("demo").description("manager, studio and farm in one process, with a demo task: three narrated episodes")),
    async (config, options) => (await import("./demo.ts")).demo(config, { once: Boolean(options["once"]), json: Boolean(options["json"]) }),
  );
  wire(podcrew.command("up").description("manager, studio and farm in one process"), async (config) =>
    (await import("./serve.ts")).serve(config, ["manager", "studio", "farm"]),
  );
  wire(podcrew.command("farm").description("the farm alone, against MANAGER_URL and API_KEY"), async (config) =>
    (await import("./serve.ts")).serve(config, ["farm"]),
  );
  wire(podcrew.command("manager").description("the manager alone"), async (config) =>
    (await import("./serve.ts")).serve(config, ["manager"]),
  );
  wire(podcrew.command("studio").description("the studio alone"), async (config) => (await import("./serve.ts")).serve(config, ["studio"]));
  wire(
    podcrew
      .command("run")
      .argument("<file>", "tasks as the worker API writes them: one, or a list")
      .option("--json", "print the result as one JSON line on stdout")
      .description("post the tasks of a file, without a manager"),
    async (config, options, [file = ""]) => (await import("./run-file.ts")).runFile(config, file, Boolean(options["json"])),
  );
  wire(
    podcrew
      .command("debug")
      .argument("<task>", "a task file, or the id of a task at MANAGER_URL")
      .option("--until <step>", "stop before this step")
      .option("--slow <ms>", "pause between the browser's actions", "0")
      .option("--publish", "do not stop before the irreversible step")
      .description("one task, watched; stops before the irreversible step"),
    async (config, options, [task = ""]) =>
      (await import("./debug.ts")).debug(config, task, {
        until: options["until"] as string | undefined,
        slowMs: Number(options["slow"]),
        publish: Boolean(options["publish"]),
      }),
  );
  wire(
    podcrew
      .command("chaos")
      .addOption(new Option("--kills <n>", "how often the farm is killed").default(10).argParser(Number))
      .option("--json", "print the verdict as one JSON line on stdout")
      .description("kill a farm again and again while it posts to a studio of its own, and see what is on the site"),
    async (config, options) =>
      (await import("./chaos/chaos.ts")).chaos(config, { kills: wholeKills(options["kills"]), json: Boolean(options["json"]) }),
  );
  wire(
    podcrew
      .command("evidence")
      .argument("[task]", "absent: every task that something is kept of")
      .description("what was kept of a task's failures: pictures, the locator to blame and what is like it, traces"),
    async (config, _options, [task]) => (await import("./evidence.ts")).showEvidence(config, task),
  );
  wire(podcrew.command("doctor").option("--json", "as JSON").description("what is wrong here, and what to do"), async (config, options) =>
    (await import("./doctor.ts")).doctor(config, Boolean(options["json"])),
  );
  wire(
    podcrew.command("status").option("--json", "as JSON").description("what the running farm does, and why it waits"),
    async (config, options) => (await import("./status.ts")).status(config, Boolean(options["json"])),
  );
  wire(
    podcrew
      .command("resolve")
      .argument("<task>")
      .argument("[episode]", "absent: the account of the task works again")
      .option("--posted <url>", "it is there")
      .option("--absent", "it is not there: post it")
      .description("tell the farm what a person saw of an episode in doubt, or that an account may go on"),
    async (config, options, [task = "", episode]) =>
      (await import("./status.ts")).resolve(config, task, episode, {
        posted: options["posted"] as string | undefined,
        absent: Boolean(options["absent"]),
      }),
  );

  wire(
    podcrew
      .command("hand-over")
      .argument("<task>")
      .description("open the browser session of a task that a site's challenge has stopped, for a person; then it goes on"),
    async (config, _options, [task = ""]) => (await import("./hand-over.ts")).handOver(config, task),
  );
  const sessions = podcrew
    .command("sessions")
    .description("who is signed in, until when, and who will need a code")
    .enablePositionalOptions();
  wire(sessions.option("--json", "as JSON"), async (config, options) =>
    (await import("./sessions.ts")).listSessions(config, Boolean(options["json"])),
  );
  wire(
    sessions
      .command("export")
      .argument("<account>")
      .option("--to <file>", "where to; absent: a file named after the account")
      .description("write the account's browser session to a file; whoever has it is signed in"),
    async (config, options, [account = ""]) =>
      (await import("./sessions.ts")).exportSession(config, account, options["to"] as string | undefined),
  );

  const driver = podcrew.command("driver").description("the driver author's tools");
  addDriverCommands(driver, wire);

  const key = podcrew.command("key").description("keys of the manager's worker API");
  wire(key.command("create").argument("<name>").description("make a key; it is shown once"), async (config, _options, [name = ""]) =>
    (await import("./keys.ts")).createKey(config, name),
  );
  wire(key.command("list").description("all keys, by their prefixes"), async (config) => (await import("./keys.ts")).listKeys(config));
  wire(key.command("revoke").argument("<id>").description("end a key"), async (config, _options, [id = ""]) =>
    (await import("./keys.ts")).revokeKey(config, id),
  );

  const account = podcrew.command("account").description("people who may sign in to the studio");
  wire(
    account
      .command("create")
      .argument("<email>")
      .addOption(new Option("--second-factor <kind>", "after the password").choices(["none", "totp", "mail"]).default("totp"))
      .option("--show <name>", "also make a show of this name (8-44 of a-z 0-9 - _)")
      .option("--title <title>", "the show's title")
      .addOption(new Option("--language <code>", "of the studio's pages").choices(["en", "vi"]).default("en"))
      .description("make a studio account; the password is read from stdin, or made and shown once"),
    async (config, options, [email = ""]) => (await import("./accounts.ts")).createAccount(config, email, options),
  );
  return podcrew;
}

/** @throws UsageError */
function wholeKills(given: unknown): number {
  if (Number.isInteger(given) && Number(given) >= 1 && Number(given) <= 1000) return Number(given);
  throw new UsageError("--kills is not a whole number from 1 to 1000 (for example --kills 10)");
}

/** A user's mistake is one sentence; anything else keeps its stack. Neither carries a secret. */
function explain(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  await program().parseAsync();
} catch (error) {
  process.stderr.write(`${redact(explain(error))}\n`);
  process.exitCode = 2;
}
// Whatever a part forgot to close must not keep a finished command alive.
process.exit();
