import { z } from "zod";
import type { ImapServer } from "./mail-server.ts";

/** The kinds of values that settings have. Each takes what a configuration file holds and what the environment can: text. */
export const wholeNumber = (least: number, most: number) => {
  const error = `not a whole number from ${least} to ${most}`;
  return z.coerce.number(error).int(error).min(least, error).max(most, error);
};

export const decimal = (least: number, most: number) => {
  const error = `not a number from ${least} to ${most}`;
  return z.coerce.number(error).min(least, error).max(most, error);
};

export const port = wholeNumber(0, 65_535);

const plans = ["Self-hosted", "Starter", "Pro", "Team", "Business"] as const;

/** In any letter case. */
export const plan = z.string().transform((given, context) => {
  const found = plans.find((name) => name.toLowerCase() === given.trim().toLowerCase());
  if (found) return found;
  context.addIssue({ code: "custom", message: `not one of ${plans.join(", ")}` });
  return z.NEVER;
});

/** true, 1, yes, on and their opposites. */
export const flag = z.union([z.boolean(), z.stringbool()], "not yes or no");

/** Comma separated. */
export const list = z.union([z.array(z.string()), z.string().transform(split)]);

/** Addresses and ranges in CIDR notation, comma separated. */
export const networks = list.pipe(
  z.array(
    z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], { error: ({ input }) => `"${String(input)}" is no address and no CIDR range` }),
  ),
);

/** Without a slash at the end. */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: "not an http:// or https:// address" })
  .transform((url) => url.replace(/\/+$/, ""));

/** An IANA name. */
export const timeZone = z.string().refine((zone) => {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: zone }));
  } catch {
    return false;
  }
}, "not a time zone");

/** 32 bytes in Base64. */
export const vaultKey = z.base64("not Base64").refine((text) => Buffer.from(text, "base64").length === 32, "not 32 bytes");

/** `host=driver` or `host=driver@origin`, comma separated. */
export const sites = z.union(
  [
    z.record(z.string(), z.object({ driver: z.string(), origin: z.url().optional() })),
    z.string().transform((text, context) => {
      const map: Record<string, { driver: string; origin?: string }> = {};
      for (const item of split(text)) {
        const match = /^([^=]+)=([a-z0-9-]+)(?:@(https?:\/\/.+))?$/.exec(item);
        if (!match?.[1] || !match[2]) {
          context.addIssue({ code: "custom", message: `"${item}" is not host=driver` });
          return z.NEVER;
        }
        map[match[1]] = { driver: match[2], ...(match[3] && { origin: match[3] }) };
      }
      return map;
    }),
  ],
  "not host=driver or host=driver@origin",
);

/** `domain=imaps://host:port?ca=FILE` or `address=…`, comma separated; imap:// begins with STARTTLS, `?tls=no` does without. */
export const imapServers = z.union([z.record(z.string(), z.string()), z.string().transform(pairs)]).transform((given, context) => {
  const servers: Record<string, ImapServer> = {};
  for (const [name, address] of Object.entries(given)) {
    const url = URL.canParse(address) ? new URL(address) : null;
    const tls = url?.protocol === "imaps:" ? true : url?.searchParams.get("tls") === "no" ? false : "starttls";
    if (!url?.hostname || !/^imaps?:$/.test(url.protocol)) {
      context.addIssue({ code: "custom", message: `"${name}" is not followed by imaps://host or imap://host` });
      return z.NEVER;
    }
    servers[name.trim().toLowerCase()] = {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port) || (tls === true ? 993 : 143),
      tls,
      caFile: url.searchParams.get("ca"),
      ...(url.username && { user: decodeURIComponent(url.username) }),
    };
  }
  return servers;
});

/** `a=b,c=d` */
function pairs(text: string): Record<string, string> {
  return Object.fromEntries(split(text).map((item) => [item.slice(0, Math.max(0, item.indexOf("="))), item.slice(item.indexOf("=") + 1)]));
}

function split(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);
}
