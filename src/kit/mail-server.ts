import type { Assignment } from "../contract/task.ts";

/** Where a mailbox is read. `tls`: at once, after STARTTLS, or not at all. `user`: whom to sign in as; absent: the address without its tag. */
export type ImapServer = NonNullable<Assignment["imap"]>;

/** By mail domain ("example.com") or whole address ("maya@example.com"), in lower case. */
export type ImapServers = Readonly<Record<string, ImapServer>>;

/** Mail providers that hand out app passwords. */
const usual: Readonly<Record<string, string>> = {
  "gmail.com": "imap.gmail.com",
  "googlemail.com": "imap.gmail.com",
  "yahoo.com": "imap.mail.yahoo.com",
  "icloud.com": "imap.mail.me.com",
  "me.com": "imap.mail.me.com",
  "fastmail.com": "imap.fastmail.com",
  "zoho.com": "imap.zoho.com",
};

/** The server that was named for this address: for itself, without its tag, or for its domain. */
export function namedServer(address: string, servers: ImapServers): ImapServer | null {
  const lower = address.toLowerCase();
  return servers[lower] ?? servers[withoutTag(lower)] ?? servers[domainOf(lower)] ?? null;
}

/** The usual server of the address' provider; of others `imap.<domain>`. */
export function usualServer(address: string): ImapServer {
  const domain = domainOf(address.toLowerCase());
  return { host: usual[domain] ?? `imap.${domain}`, port: 993, tls: true, caFile: null };
}

/** maya+show-7@example.com and maya@example.com are one mailbox. */
export function withoutTag(address: string): string {
  return address.replace(/^([^+@]+)\+[^@]*@/, "$1@");
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}
