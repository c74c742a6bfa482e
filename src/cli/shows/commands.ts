import type { Command } from "commander";
import type { Config } from "../../kit/config.ts";

type Wire = (command: Command, action: (config: Config, options: Record<string, unknown>, args: string[]) => Promise<number>) => void;

/** `podcrew show …`: shows of a studio, by its PodOps API, and feeds of any. @param wire hands the settings' options in */
export function addShowCommands(podcrew: Command, wire: Wire): void {
  const show = podcrew.command("show").description("shows of the studio, and podcast feeds of any");
  const asked = (command: Command): Command =>
    command
      .option("--as <email>", "whose shows, with the admin key; absent: those of the studio's first account")
      .option("--json", "as one JSON line on stdout");
  wire(
    asked(show.command("create").argument("<name>", "8-44 of a-z 0-9 - _; it is in the addresses"))
      .option("--title <title>")
      .option("--summary <text>")
      .option("--language <code>", 'such as "en" or "pt-BR"')
      .option("--author <name>")
      .option("--email <address>", "of the owner; directories mail it to prove whose feed it is")
      .option("--category <name...>", "of Apple's; several with a space between them")
      .option("--explicit", "not for children")
      .option("--serial", "to be heard from the first episode on")
      .option("--cover <file>", "a square JPEG or PNG of 1400 to 3000 pixels; absent: one is drawn")
      .description("make a show, or change what is said of one"),
    async (config, options, [name = ""]) => (await import("./manage.ts")).createShow(config, name, options),
  );
  wire(asked(show.command("list")).description("all shows, with what is out"), async (config, options) =>
    (await import("./manage.ts")).listShows(config, options),
  );
  wire(
    asked(show.command("build").argument("<name>"))
      .option("--check", "only say whether it would work")
      .description("publish what is due and write the feed"),
    async (config, options, [name = ""]) => (await import("./manage.ts")).buildShow(config, name, options),
  );
  wire(
    asked(show.command("import").argument("<feed>", "its address"))
      .option("--name <name>", "of the show; absent: made of the feed's title")
      .option("--mine", "the feed is locked, and it is yours")
      .description("bring all episodes and files of a feed in; run again, it goes on where it was broken off"),
    async (config, options, [feed = ""]) => (await import("./import.ts")).importShow(config, feed, options),
  );
  wire(
    show
      .command("validate")
      .argument("<feed>", "its address, or a file")
      .option("--media <n>", 'of how many episodes, the newest first, the files are asked for; or "all"', "5")
      .option("--json", "as one JSON line on stdout")
      .description("what directories and players would say to a feed; exit code 1 when something is an error"),
    async (_config, options, [feed = ""]) => (await import("./validate.ts")).validateFeed(feed, options as { media: string }),
  );
}
