import type { Address, Email } from "postal-mime";
import type { MailedCodeQuery } from "./contract.ts";
import { likelyCode } from "./likely-code.ts";

/** What a mail is to somebody who waits for a code. */
export type Reading = { code: string } | { passedOver: string };

/** The code of a mail that an allowed sender sent to exactly this address, or why it is another mail. */
export function readMail(email: Email, query: Pick<MailedCodeQuery, "from" | "pattern">, address: string): Reading {
  const sender = addresses([email.from])[0] ?? "";
  const allowed = [query.from].flat().map((from) => from.toLowerCase());
  if (!allowed.some((from) => (from.startsWith("@") ? sender.endsWith(from) : sender === from)))
    return { passedOver: "from another sender" };
  if (isForged(email)) return { passedOver: "with a forged sender" };
  const named = [...addresses(email.to), ...addresses(email.cc)];
  // Every mail in the box was delivered to it, also one for maya+other@: where it went counts only when it names nobody.
  const recipients = named.length > 0 ? named : [(email.deliveredTo ?? "").toLowerCase()];
  if (!recipients.includes(address.toLowerCase())) return { passedOver: "to another address" };
  const texts = { subject: clean(email.subject ?? ""), bodies: [email.text ?? "", htmlText(email.html ?? "")].map(clean) };
  if (!query.pattern) {
    const found = likelyCode(texts);
    return found.kind === "one"
      ? { code: found.code }
      : { passedOver: found.kind === "none" ? "without a code" : "with more than one code" };
  }
  const pattern = new RegExp(query.pattern.source, query.pattern.flags.replace(/[gy]/g, ""));
  for (const text of [texts.subject, ...texts.bodies]) {
    const match = pattern.exec(text);
    if (match) return { code: match[1] ?? match[0] };
  }
  return { passedOver: "without a code" };
}

/** The mailbox's own server writes its verdict above all that the sender wrote. */
function isForged({ headers }: Email): boolean {
  return /\bdmarc\s*=\s*fail\b/i.test(headers.find(({ key }) => key === "authentication-results")?.value ?? "");
}

function addresses(list: readonly (Address | undefined)[] | undefined): string[] {
  return (list ?? [])
    .flatMap((entry) => (entry?.group ? entry.group.map((member) => member.address) : entry?.address ? [entry.address] : []))
    .map((address) => address.toLowerCase());
}

/** Without characters that nobody sees: mails are padded with them, also within codes. */
function clean(text: string): string {
  return text.replace(/[\u00ad\u200b-\u200f\u2060\ufeff]|\u034f/g, "").replace(/\r\n?/g, "\n");
}

const named: Readonly<Record<string, string>> = { nbsp: " ", amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** What a reader sees: no style sheets, whose colours (#123456) are no codes; a letter each in a box of its own is one word. */
export function htmlText(html: string): string {
  return html
    .replace(/<(style|script|head|title)\b[\s\S]*?<\/\1>/gi, "\n")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/[ \t\r\n]+/g, " ")
    .replace(/<\/?(span|b|strong|em|i|u|font|a|code|mark|small)\b[^>]*>/gi, "")
    .replace(/<[^>]*>/g, "\n")
    .replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (_all, decimal?: string, hex?: string, name?: string) => {
      const point = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : 0;
      return point > 0 && point <= 0x10_ff_ff ? String.fromCodePoint(point) : (named[name ?? ""] ?? " ");
    })
    .replace(/[ \u00a0]+/g, " ");
}
