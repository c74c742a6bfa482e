import { formsOf } from "./secret-forms.ts";

/**
 * Secrets that are alive in this process. Whatever leaves through a log goes through `redact`, which knows each value in
 * the forms in which it tends to leak (secret-forms.ts) and the places where unknown ones stand (patterns below).
 */
const MASK = "[secret]";

/** Shorter values would blot out ordinary words. */
const MIN_LENGTH = 4;

/** A longer one is a document that holds secrets (a browser's state), not a secret that could slip into a line. */
const MAX_LENGTH = 4096;

/** Of those that are not pinned, the least recently given is forgotten beyond this (each takes about a kilobyte in all its forms): a farm that runs for months opens the secrets of every task anew. */
const MAX_RECENT = 5000;

/**
 * All forms by their first characters, then by length: a line is read once, however many secrets are alive. With each form, of how
 * many of them it is one: what is one secret's URL form may be all of another.
 */
const byStart = new Map<string, Map<number, Map<string, number>>>();
/** Those that are never forgotten, and how often each was pinned. */
const pinned = new Map<string, number>();
/** The others, the oldest first. */
const recent = new Set<string>();

type Given = string | null | undefined;

/** Masked in every log line from now on, until many others were given. */
export function addSecret(value: Given): void {
  if (!isFit(value) || pinned.has(value)) return;
  if (!recent.delete(value)) addForms(value);
  recent.add(value);
  forgetOldest();
}

/**
 * Masked however many others are given: for the configuration's secrets, and for those that are at work.
 * @returns what ends that: they are as `addSecret` leaves them then
 */
export function pinSecrets(...values: readonly Given[]): () => void {
  const fit = values.filter(isFit);
  for (const value of fit) {
    if (!recent.delete(value) && !pinned.has(value)) addForms(value);
    pinned.set(value, (pinned.get(value) ?? 0) + 1);
  }
  return () => {
    for (const value of fit.splice(0)) unpin(value);
  };
}

function unpin(value: string): void {
  const times = (pinned.get(value) ?? 1) - 1;
  if (times > 0) return void pinned.set(value, times);
  pinned.delete(value);
  recent.add(value);
  forgetOldest();
}

function forgetOldest(): void {
  const [oldest] = recent;
  if (recent.size <= MAX_RECENT || oldest === undefined) return;
  recent.delete(oldest);
  forgetForms(oldest);
}

function isFit(value: Given): value is string {
  return value != null && value.length >= MIN_LENGTH && value.length <= MAX_LENGTH;
}

function longForms(value: string): string[] {
  return [...formsOf(value)].filter((form) => form.length >= MIN_LENGTH);
}

function addForms(value: string): void {
  for (const form of longForms(value)) {
    const start = form.slice(0, MIN_LENGTH);
    const byLength = byStart.get(start) ?? new Map<number, Map<string, number>>();
    byStart.set(start, byLength);
    const forms = byLength.get(form.length) ?? new Map<string, number>();
    byLength.set(form.length, forms.set(form, (forms.get(form) ?? 0) + 1));
  }
}

function forgetForms(value: string): void {
  for (const form of longForms(value)) {
    const byLength = byStart.get(form.slice(0, MIN_LENGTH));
    const forms = byLength?.get(form.length);
    const others = (forms?.get(form) ?? 1) - 1;
    if (others > 0) forms?.set(form, others);
    else forms?.delete(form);
    if (forms?.size === 0) byLength?.delete(form.length);
    if (byLength?.size === 0) byStart.delete(form.slice(0, MIN_LENGTH));
  }
}

const patterns: readonly [RegExp, string][] = [
  [/\b(Bearer\s+|Basic\s+)[A-Za-z0-9._~+/-]{8,}=*/gi, `$1${MASK}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^:/\s@]*:)[^@/\s]+@/gi, `$1${MASK}@`],
  [/(otpauth:\/\/[^\s"']*secret=)[A-Z2-7]+/gi, `$1${MASK}`],
  [/\b(pck_[A-Za-z0-9]{6})[A-Za-z0-9_-]{10,}/g, `$1${MASK}`],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+/g, MASK],
  [/((?:set-)?cookie\\?"?\s*[:=]\s*\\?"?)(?!\[secret\])[^\r\n"]{4,}/gi, `$1${MASK}`],
  [
    /((?:password|passwd|pass_?mail|app_?password|twofa|totp_?secret|authorization|x-api-key|api_?key|secret|token)\\?["']?\s*[:=]\s*\\?["']?)(?!\[secret\])(?!(?:Bearer|Basic)\s)[^\s"',;&}\\]{4,}/gi,
    `$1${MASK}`,
  ],
];

/** The text with every live secret, and what looks like one, masked. */
export function redact(text: string): string {
  let out = maskKnown(text);
  for (const [pattern, mask] of patterns) out = out.replace(pattern, mask);
  return out;
}

/** Does a secret that was given stand in it, in any of its forms? */
export function holdsSecret(text: string): boolean {
  return maskKnown(text) !== text;
}

/** Overlapping finds become one mask, so that no rest of the longer one is left. */
function maskKnown(text: string): string {
  let out = "";
  let end = 0;
  for (let at = 0; at + MIN_LENGTH <= text.length; at++) {
    const length = knownAt(text, at);
    if (length === 0) continue;
    if (at >= end) out += text.slice(end, at) + MASK;
    end = Math.max(end, at + length);
  }
  return out + text.slice(end);
}

/** Length of the longest form that stands at this place, 0 when none does. */
function knownAt(text: string, at: number): number {
  let longest = 0;
  for (const [length, forms] of byStart.get(text.slice(at, at + MIN_LENGTH)) ?? []) {
    if (length > longest && forms.has(text.slice(at, at + length))) longest = length;
  }
  return longest;
}
