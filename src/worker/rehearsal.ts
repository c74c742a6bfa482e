import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Locator, Page } from "playwright";
import { Failure } from "../contract/failures.ts";
import { rehearsalReport, type RehearsalReport } from "../contract/rehearsal.ts";
import type { DriverContext } from "../driver/contract.ts";
import { nearestOn, wantedIn } from "../driver/nearest.ts";
import { withDeadline } from "../kit/deadline.ts";
import { redact } from "../kit/redact.ts";
import { unwatched, watchPage, type Use } from "./watched-page.ts";

const PICTURE_WITHIN_MS = 8000;
/** A field that is gone is noted, and the form is filled in as far as it goes: one walk shows all that has moved. */
const mayBeSkipped = new Set([
  "writeText",
  "writeHtml",
  "fill",
  "pressSequentially",
  "setInputFiles",
  "setChecked",
  "check",
  "uncheck",
  "selectOption",
  "clear",
]);
const questions = /^(is[A-Z]\w*|count|all\w+)$/;

/** Ends the driver's publish before it has done anything. Never leaves the worker. */
export class EnoughSeen extends Error {
  override readonly name = "EnoughSeen";
}

/**
 * Notes what a driver looks for while it walks through a site, what it finds, and what is like what it does not find, with a
 * picture of each verb's end and of each thing missing. The report lies in the folder as `report.json`.
 */
export class Rehearsal {
  readonly #folder: string;
  readonly #report: RehearsalReport;
  #pictures = 0;

  constructor(folder: string, site: string, origin: string) {
    this.#folder = folder;
    this.#report = { site, origin, at: new Date().toISOString(), sightings: [], verbs: [], remarks: [], stopped: 0 };
  }

  /** @returns what a verb is given, watched; of `publish` only the first thing is looked for, and nothing is done with it */
  watch(site: DriverContext, verb: string): DriverContext {
    const { page } = site;
    const use = async (what: Use, act: () => Promise<unknown>, raw: Locator | null): Promise<unknown> => {
      if (verb === "publish" && !questions.test(what.action)) return this.#lookOnly(verb, page, what, raw);
      return this.#note(verb, page, what, act);
    };
    const watched = watchPage(page, { use });
    // All that is asked and done to write into a field is one use of it.
    const writing =
      (action: "writeText" | "writeHtml") =>
      async (field: Locator, text: string): Promise<void> => {
        const raw = unwatched(field);
        await use({ locator: field.toString(), action }, async () => site[action](raw, text), raw);
      };
    return {
      ...site,
      ...(verb === "publish" && { request: shut(site.request, /./) }),
      page: verb === "publish" ? shut(watched, leads) : watched,
      writeText: writing("writeText"),
      writeHtml: writing("writeHtml"),
    };
  }

  async #note(verb: string, page: Page, what: Use, act: () => Promise<unknown>): Promise<unknown> {
    // What runs in the page is the driver's own reading: it says nothing of what is there.
    if (what.action.startsWith("evaluate")) return act();
    try {
      const result = await act();
      const answer = questions.test(what.action)
        ? typeof result === "boolean" || typeof result === "number"
          ? String(result)
          : "asked"
        : "";
      this.#add(verb, what, { found: answer === "" ? "yes" : "asked", note: answer });
      return result;
    } catch (error) {
      const wanted = wantedIn(error instanceof Error ? error.message : String(error));
      await this.#miss(verb, page, what, wanted?.found ?? "not there in time", wanted?.text ?? "");
      const isGone = wanted?.found === "not there";
      if (isGone && verb === "draft" && mayBeSkipped.has(what.action)) return undefined;
      throw error;
    }
  }

  async #lookOnly(verb: string, page: Page, what: Use, raw: Locator | null): Promise<never> {
    try {
      await raw?.waitFor({ state: "visible" });
      this.#add(verb, what, { found: "yes", note: "not pressed" });
    } catch (error) {
      const wanted = wantedIn(error instanceof Error ? error.message : String(error));
      await this.#miss(verb, page, what, wanted?.found ?? "not there in time", what.locator);
    }
    throw new EnoughSeen("the rehearsal ends before the irreversible step");
  }

  async #miss(verb: string, page: Page, what: Use, note: string, text: string): Promise<void> {
    const candidates = text === "" ? [] : await nearestOn(page, text);
    const picture = await this.#picture(page, `${verb}-missing`);
    this.#add(verb, what, { found: "no", note, candidates, ...(picture && { picture }) });
  }

  #add(
    verb: string,
    { locator, action }: Use,
    seen: Pick<RehearsalReport["sightings"][number], "found" | "note" | "candidates" | "picture">,
  ): void {
    this.#report.sightings.push({ verb, locator: redact(locator), action, ...seen });
  }

  /** A verb has ended: well, with null, or by what it threw. */
  async ended(verb: string, page: Page, thrown: unknown): Promise<void> {
    const picture = await this.#picture(page, verb);
    this.#report.verbs.push({
      verb,
      failure: redact(failureOf(thrown === null || thrown instanceof Error ? thrown : new Error("no error", { cause: thrown }))),
      ...(picture && { picture }),
    });
  }

  /** Nobody publishes the episode of a rehearsal: a driver that finds it would never post anything. */
  found(copies: readonly { link: string; id: string }[]): void {
    const [first] = copies;
    if (first)
      this.#report.remarks.push(redact(`find says that the episode is published already, and it never was: ${first.link || first.id}`));
  }

  /** The publish request was about to leave although nobody publishes in a rehearsal. */
  stopped(): void {
    this.#report.stopped += 1;
  }

  async #picture(page: Page, name: string): Promise<string | null> {
    const path = join(this.#folder, `${String(++this.#pictures).padStart(2, "0")}-${name}.png`);
    const take = async (): Promise<string> => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(path, await page.screenshot({ timeout: PICTURE_WITHIN_MS }), { mode: 0o600 });
      return path;
    };
    return withDeadline(PICTURE_WITHIN_MS, "the picture", take).catch(() => null);
  }

  async write(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeFile(join(this.#folder, "report.json"), `${JSON.stringify(rehearsalReport.parse(this.#report), null, 2)}\n`, {
      mode: 0o600,
    });
  }
}

function failureOf(thrown: Error | null): string {
  if (thrown === null || thrown instanceof EnoughSeen || thrown.cause instanceof EnoughSeen) return "";
  if (thrown instanceof Failure) return thrown.detail || thrown.message;
  return thrown.message.split("\n", 1)[0] ?? "";
}

/** What a page does besides showing where things are. */
const leads =
  /^(goto|reload|go(Back|Forward)|evaluate\w*|setContent|click|dblclick|tap|fill|type|press|check|uncheck|selectOption|dispatchEvent)$/;

/** What a page also acts by. */
const hands: ReadonlySet<string> = new Set(["keyboard", "mouse", "touchscreen", "request"]);

/** In `publish` of a rehearsal nothing is done. */
function shut<T extends object>(given: T, methods: RegExp): T {
  return new Proxy(given, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof name === "string" && hands.has(name) && typeof value === "object" && value !== null) return shut(value, /./);
      if (typeof value !== "function" || typeof name !== "string") return value;
      if (methods.test(name)) return async () => Promise.reject(new EnoughSeen("the rehearsal ends before the irreversible step"));
      return value.bind(target) as unknown;
    },
  });
}
