import type { SendMailOptions } from "nodemailer";

/** Letters that carry a sign-in code, and letters that only look as if they did. */
export type Letter = Pick<
  SendMailOptions,
  "from" | "to" | "date" | "subject" | "text" | "html" | "attachments" | "headers" | "textEncoding"
> & {
  /** In place of all else: a part in an older character set, which the library can't write. */
  latin1?: string;
};

export interface Who {
  /** Of the site. */
  sender: string;
  /** The account's address, with its tag. */
  address: string;
  now: number;
}

export type Random = () => number;

export const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
export const sixDigits = (random: Random): string => String(Math.floor(random() * 1_000_000)).padStart(6, "0");

const spaced = (code: string, by: string): string => `${code.slice(0, 3)}${by}${code.slice(3)}`;
const boxes = (code: string): string =>
  `<table><tr>${[...code].map((digit) => `<td style="border:1px">${digit}</td>`).join("")}</tr></table>`;
const footer = "Slow Mornings Ltd, 12 Harbour Road, Suite 204, tel. +44 20 712345, Registered 104982. © 2026";

/** The one right letter, as sites write it: in any part, any encoding, beside any other number. */
const codeForms: Readonly<Record<string, (code: string, random: Random) => Omit<Letter, "from" | "to" | "date">>> = {
  plain: (code) => ({ subject: "Your sign-in code", text: `Hello,\n\nyour code is ${code}. It is good for 10 minutes.\n\n${footer}` }),
  aloneOnItsLine: (code) => ({ subject: "Sign in to Studio", text: `Enter this verification code:\n\n${code}\n\n${footer}` }),
  inTheSubject: (code) => ({
    subject: `${code} is your Studio code`,
    text: `If it was not you, write to support within 24 hours.\n${footer}`,
  }),
  encodedSubject: (code) => ({ subject: `${code} là mã đăng nhập của bạn – ngày 21 tháng 11`, text: "Xin chào,\nvui lòng không chia sẻ." }),
  base64: (code) => ({
    subject: "Mã xác minh",
    text: `Xin chào chị Mây,\nmã xác minh của chị là ${code}.\n`,
    textEncoding: "base64" as const,
  }),
  quotedPrintable: (code) => ({
    subject: "Código",
    text: `Olá! O seu código de acesso é ${code} — válido por 10 minutos. ${"Não responda a este e-mail. ".repeat(4)}`,
    textEncoding: "quoted-printable" as const,
  }),
  alternatives: (code) => ({
    subject: "Verify it’s you",
    text: `Your verification code: ${code}`,
    html: `<style>p{color:#482913}</style><p>Your verification code:</p><h1>${code}</h1><p>${footer}</p>`,
  }),
  htmlOnly: (code) => ({
    subject: "Verify",
    html: `<html><head><title>987654</title></head><body><p>Your code</p><p><b>${code}</b></p></body></html>`,
  }),
  digitBoxes: (code) => ({ subject: "Your code", html: `<p>Use this code to sign in</p>${boxes(code)}<p>It expires in 10 minutes.</p>` }),
  brokenUpInHtml: (code) => ({ subject: "Code", html: `<p>Your code: <b>${code.slice(0, 2)}</b><span>${code.slice(2)}</span></p>` }),
  grouped: (code, random) => ({ subject: "Studio", text: `Use code ${spaced(code, pick(random, [" ", "-"]))} to sign in.` }),
  google: (code) => ({ subject: "Studio", text: `G-${code} is your verification code.` }),
  beforeAnOrder: (code, random) => ({
    subject: "Code",
    text: `Your code: ${code}\n\nOrder ${sixDigits(random)} has been paid.\n${footer}`,
  }),
  afterAnOrder: (code, random) => ({
    subject: "Studio",
    text: `Order #${sixDigits(random)}, order number ${sixDigits(random)}\nSign-in code: ${code}\n`,
  }),
  withAFile: (code) => ({
    subject: "Security",
    text: `Your one-time code is ${code}.`,
    attachments: [{ filename: "code-123123.txt", content: "Your code is 123123" }],
  }),
  chinese: (code) => ({ subject: "验证码", text: `您的验证码${code}，10分钟内有效。订单 482913` }),
  latin1: (code) => ({ subject: "Zugang", latin1: `Ihr Zugangscode f\u00fcr das Studio: ${code}\nG\u00fcltig f\u00fcr 10 Minuten.\n` }),
  entities: (code) => ({
    subject: "Code",
    html: `<p>Your code:&nbsp;${[...code].map((digit) => `&#${digit.charCodeAt(0)};`).join("")}</p>`,
  }),
};
export const codeFormNames = Object.keys(codeForms);

export function codeLetter(who: Who, form: string, code: string, random: Random): Letter {
  const write = codeForms[form];
  if (!write) throw new Error(`there is no form ${form}`);
  return { from: who.sender, to: who.address, date: new Date(who.now), ...write(code, random) };
}

/** Letters after the ask that must not be taken for the answer. */
const decoys: Readonly<Record<string, (who: Who, random: Random) => Letter>> = {
  stale: (who, random) => ({
    ...codeLetter(who, pick(random, codeFormNames), sixDigits(random), random),
    date: new Date(who.now - (10 + random() * 50) * 60_000),
  }),
  spoofedName: (who, random) => ({
    ...codeLetter(who, "plain", sixDigits(random), random),
    from: `"${who.sender}" <billing@evil.example.net>`,
  }),
  spoofedDomain: (who, random) => ({ ...codeLetter(who, "alternatives", sixDigits(random), random), from: `${who.sender}.evil.example` }),
  spoofedSibling: (who, random) => ({ ...codeLetter(who, "plain", sixDigits(random), random), from: who.sender.replace("@", "@not-") }),
  forged: (who, random) => ({
    ...codeLetter(who, "plain", sixDigits(random), random),
    headers: { "Authentication-Results": "mx.example.com; spf=softfail; dkim=none; dmarc=fail (p=none)" },
  }),
  otherTag: (who, random) => ({
    ...codeLetter(who, "plain", sixDigits(random), random),
    to: who.address.replace(/(\+[^@]*)?@/, "+elsewhere@"),
  }),
  otherPerson: (who, random) => ({ ...codeLetter(who, "inTheSubject", sixDigits(random), random), to: `other.${who.address}` }),
  order: (who, random) => ({
    from: who.sender,
    to: who.address,
    date: new Date(who.now),
    subject: `Order ${sixDigits(random)}`,
    text: `Thank you! Your order number is ${sixDigits(random)}.\nInvoice ${sixDigits(random)}, phone 0${sixDigits(random)}, ${footer}`,
  }),
  promotion: (who, random) => ({
    from: who.sender,
    to: who.address,
    date: new Date(who.now),
    subject: "Join 250000 listeners in 2026",
    html: `<p>Promo code ${sixDigits(random)} gives 20 % off until 2026-12-31.</p><p>Call +44 20 ${sixDigits(random)}</p>`,
  }),
  twoCodes: (who, random) => ({
    from: who.sender,
    to: who.address,
    date: new Date(who.now),
    subject: "Your codes",
    text: `Your code is ${sixDigits(random)}.\nYour code is ${sixDigits(random)}.\n`,
  }),
  welcome: (who) => ({
    from: who.sender,
    to: who.address,
    date: new Date(who.now),
    subject: "Welcome in 2026",
    text: `Hello! Since 2019.\n${footer}`,
  }),
};

export function decoy(who: Who, random: Random): Letter {
  return pick(random, Object.values(decoys))(who, random);
}
