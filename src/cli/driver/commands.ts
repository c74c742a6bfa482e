import type { Command } from "commander";
import type { Config } from "../../kit/config.ts";

type Wire = (command: Command, action: (config: Config, options: Record<string, unknown>, args: string[]) => Promise<number>) => void;

/** `podcrew driver …`: the driver author's tools. Each loads what it needs when it is called. */
export function addDriverCommands(driver: Command, wire: Wire): void {
  const text = (value: unknown): string | undefined => value as string | undefined;
  wire(driver.command("list").description("the drivers that this farm knows"), async (config) =>
    (await import("../drivers.ts")).listDrivers(config),
  );
  wire(
    driver
      .command("new")
      .argument("<site>", "its name, such as my-studio")
      .option("--origin <url>", "the site's address, such as https://studio.example.com")
      .description("write a driver to start from, and its test beside it, into DRIVERS or ./drivers-of-mine"),
    async (config, options, [site = ""]) => (await import("./new.ts")).newDriver(config, site, text(options["origin"])),
  );
  wire(
    driver
      .command("check")
      .argument("<file>", "the driver file")
      .option("--url <url>", "a twin of the site, or the site itself; it really publishes one episode there")
      .option("--account <file>", "a JSON file with the account: email, password, twofa …")
      .description("hold a driver to its promises, in a browser"),
    async (config, options, [file = ""]) =>
      (await import("./check.ts")).checkDriver(config, file, { url: text(options["url"]), account: text(options["account"]) }),
  );
  wire(
    driver
      .command("record")
      .argument("<url>", "the site's sign-in page")
      .option("--site <name>", "the driver's name; absent: from the address")
      .description("show the way once in a window: a driver to start from is written from what you do"),
    async (config, options, [url = ""]) => (await import("./record.ts")).record(config, url, text(options["site"])),
  );
  wire(
    driver
      .command("rehearse")
      .argument("<site>", "the driver's name")
      .requiredOption("--account <file>", "a JSON file with the account: email, password, twofa …")
      .option("--url <url>", "the site's address; absent: the driver's own")
      .description("walk through the real site up to Publish, put the draft away, and say which of the driver's selectors still hold"),
    async (config, options, [site = ""]) =>
      (await import("./rehearse.ts")).rehearse(config, site, { url: text(options["url"]), account: String(options["account"]) }),
  );
}
