#!/usr/bin/env node
import { Command, Option } from "commander";
import { loadConfig, UsageError, type Config } from "../kit/config.ts";
import { redact } from "../kit/redact.ts";
import { settings } from "../kit/settings.ts";
import { packageVersion } from "../kit/package-version.ts";
import { addDriverCommands } from "./driver/commands.ts";
import { addShowCommands } from "./shows/commands.ts";
import { drainOutput, watchOutput } from "./output.ts";
import { addTaskCommands } from "./tasks-commands.ts";

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
  wire(
    podcrew
      .command("farm")
      .option("--local", "without a manager: only tasks of its own, by the Task API or `podcrew task`")
      .description("the farm alone, against MANAGER_URL and API_KEY"),
    async (config, options) => (await import("./serve.ts")).serve(config, ["farm"], { alone: Boolean(options["local"]) }),
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

  addTaskCommands(podcrew, wire);

  const key = podcrew.command("key").description("keys of the manager's worker API");
  wire(
    key
      .command("create")
      .argument("<name>")
      .option("--scope <scopes>", "worker, content:read, content:write; several with commas", "worker")
      .option("--owner <email>", "whose contents it sees")
      .description("make a key; it is shown once"),
    async (config, options, [name = ""]) => (await import("./keys.ts")).createKey(config, name, options as { scope: string }),
  );
  wire(key.command("list").description("all keys, by their prefixes"), async (config) => (await import("./keys.ts")).listKeys(config));
  wire(key.command("revoke").argument("<id>").description("end a key"), async (config, _options, [id = ""]) =>
    (await import("./keys.ts")).revokeKey(config, id),
  );

  const user = podcrew.command("user").description("people who may sign in to the manager");
  wire(
    user
      .command("add")
      .argument("<email>")
      .option("--role <role>", "owner, operator or viewer", "owner")
      .option("--owner <email>", "for whom an operator or a viewer works")
      .description("make a user; the password is read from stdin (10 characters or more), or made and shown once"),
    async (config, options, [email = ""]) => (await import("./users.ts")).addUser(config, email, options as { role: string }),
  );
  wire(user.command("list").description("all users"), async (config) => (await import("./users.ts")).listUsers(config));
  wire(
    user.command("remove").argument("<email>").description("end a user, with all that an owner has"),
    async (config, _options, [email = ""]) => (await import("./users.ts")).removeUser(config, email),
  );

  wire(
    user.command("role").argument("<email>").argument("<role>", "operator or viewer").description("change what somebody may do"),
    async (config, _options, [email = "", role = ""]) => (await import("./users.ts")).changeRole(config, email, role),
  );
  wire(
    user
      .command("password")
      .argument("<email>")
      .description("give a new password, read from stdin (10 characters or more), or made and shown once; ends all sign-ins"),
    async (config, _options, [email = ""]) => (await import("./users.ts")).changePassword(config, email),
  );
  wire(
    podcrew
      .command("audit")
      .option("--action <action>", "such as delete, secrets.read or credits.add")
      .option("--search <text>", "in who and what")
      .option("--page <n>", "100 a page")
      .description("who deleted, exported, saw secrets, changed people, keys and credits; for owners"),
    async (config, options) => (await import("./audit.ts")).showAudit(config, options),
  );

  const groups = podcrew.command("groups").description("accounts on sites, in groups");
  wire(
    groups
      .command("import")
      .argument("<file>", "CSV with a line of names, or JSON, as an export has it")
      .option("--group <id>", "into this group; absent: by --name")
      .option("--name <name>", "into the group of this name, or a new one; absent: the file's name")
      .option("--type <service>", "entity, social, blog20, podcast, stacking or indexing", "podcast")
      .option("--overwrite", "accounts that are there already take the file's values")
      .description("bring accounts in; run again, it goes on where it was broken off"),
    async (config, options, [file = ""]) => (await import("./groups.ts")).importGroup(config, file, options as { type: string }),
  );
  wire(groups.command("list").description("all groups, the newest first"), async (config) =>
    (await import("./groups.ts")).listGroups(config),
  );
  wire(
    groups
      .command("export")
      .argument("<id>")
      .option("--out <file>", "ends in .csv or .json; absent: JSON on stdout")
      .option("--secrets", "with passwords; for owners, and in the audit log")
      .description("take accounts out"),
    async (config, options, [id = ""]) => (await import("./groups.ts")).exportGroup(config, id, options),
  );

  const request = podcrew.command("request").description("work that is ordered with credits");
  wire(
    request
      .command("create")
      .argument("<type>", "entity, social, blog20, podcast, stacking or indexing")
      .option("--file <file>", "JSON as the API takes it, one or a list, or CSV; flags win over it")
      .option("--name <name>")
      .option("--group <id>")
      .option("--price <credits>", "a unit")
      .option("--target <units>")
      .option("--start", "at once")
      .description("order work"),
    async (config, options, [type = ""]) => (await import("./requests.ts")).createRequest(config, type, options),
  );
  wire(request.command("list").description("all requests, the newest first"), async (config) =>
    (await import("./requests.ts")).listRequests(config),
  );
  wire(
    request
      .command("export")
      .argument("[ids...]", "absent: all")
      .option("--out <file>", "ends in .csv or .json; absent: JSON on stdout")
      .description("take requests out, as `request create --file` takes them"),
    async (config, options, ids) => (await import("./requests.ts")).exportRequests(config, ids, options["out"] as string | undefined),
  );
  for (const move of ["start", "stop", "restart"] as const)
    wire(
      request
        .command(move)
        .argument("<id>")
        .description({ start: "make its work", stop: "cancel what is not posted", restart: "queue what failed again" }[move]),
      async (config, _options, [id = ""]) => (await import("./requests.ts")).moveRequest(config, id, move),
    );
  wire(
    podcrew
      .command("links")
      .argument("<request>")
      .option("--watch", "until it has ended")
      .option("--out <file>", "all links in a file that ends in .csv or .json")
      .description("what became of a request"),
    async (config, options, [id = ""]) => (await import("./links.ts")).showLinks(config, id, options),
  );

  const credits = podcrew.command("credits").description("what owners order work with");
  wire(
    credits
      .command("add")
      .argument("<email>")
      .argument("<amount>", "a whole number; negative takes some back")
      .option("--note <text>", "why; kept in the ledger")
      .description("add to an owner's credits"),
    async (config, options, [email = "", amount = ""]) =>
      (await import("./users.ts")).addCredits(config, email, amount, options["note"] as string | undefined),
  );

  addShowCommands(podcrew, wire);
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

watchOutput();
try {
  await program().parseAsync();
} catch (error) {
  process.stderr.write(`${redact(explain(error))}\n`);
  process.exitCode = 2;
}
await drainOutput();
// Whatever a part forgot to close must not keep a finished command alive.
process.exit();
