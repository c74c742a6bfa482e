import type { APIRequestContext, Page } from "playwright";
import { z } from "zod";
import { Failure } from "../contract/failures.ts";
import type { Credentials, SiteCopy, SiteEntry } from "../contract/task.ts";
import type { AccountFields, Copy, Driver, DriverContext, Entry, MailedCodeQuery } from "./contract.ts";
import { writeHtml } from "./write-html.ts";
import { writeText } from "./write-text.ts";

export interface ContextParts {
  page: Page;
  request: APIRequestContext;
  account: unknown;
  origin: string;
  totp(secret: string): Promise<string>;
  mailedCode(query: MailedCodeQuery): Promise<string>;
  step(name: string, detail?: string): void;
}

export function createContext(parts: ContextParts): DriverContext {
  return { ...parts, writeText, writeHtml };
}

/** @throws Failure account.incomplete naming every field that the site needs and the account lacks */
export function readAccount(driver: Pick<Driver, "site" | "account">, credentials: Credentials): unknown {
  const { cookie: _cookie, ...fields } = credentials;
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "")) as AccountFields;
  const parsed = driver.account.safeParse(given);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) =>
    issue.path[0] !== undefined && !(issue.path[0] in given)
      ? `${issue.path.join(".")} is missing`
      : `${issue.path.join(".")}: ${issue.message}`,
  );
  throw new Failure("account.incomplete", `${driver.site}: ${wrong.join("; ")}`);
}

const copySchema = z
  .object({ link: z.string(), id: z.string().default("") })
  .refine(({ link, id }) => link !== "" || id !== "", "a copy has a link or an id");

/** What a driver said of a copy, with an absolute link. @throws Failure site.changed */
export function readCopy(copy: Copy, origin: string): SiteCopy {
  const parsed = copySchema.safeParse(copy);
  if (!parsed.success)
    throw new Failure("site.changed", `the driver gave no usable copy: ${parsed.error.issues.map((issue) => issue.message).join("; ")}`);
  return { id: parsed.data.id, link: parsed.data.link === "" ? "" : readLink(parsed.data.link, origin) };
}

const entrySchema = z.object({ id: z.string().min(1), title: z.string(), link: z.string().default("") });

/** A row of what a driver listed. @throws Failure site.changed */
export function readEntry(entry: Entry, origin: string): SiteEntry {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success)
    throw new Failure("site.changed", `the driver listed a row without an id or a title: ${JSON.stringify(entry).slice(0, 100)}`);
  const { id, title, link } = parsed.data;
  return { id, title, link: link === "" ? "" : readLink(link, origin) };
}

/** @throws Failure site.changed when it is no http(s) address */
export function readLink(link: string, origin: string): string {
  // A blank one would be read as the site's own address.
  const url = link.trim() !== "" && URL.canParse(link, origin) ? new URL(link, origin) : null;
  if (!url || !/^https?:$/.test(url.protocol)) throw new Failure("site.changed", `"${link.slice(0, 100)}" is not a web address`);
  return url.href;
}
