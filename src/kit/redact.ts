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

/** The least recently given is forgotten beyond this (each takes about a kilobyte in all its forms): a farm that runs for months opens the secrets of every task anew. */
const MAX_KNOWN = 5000;

/** All forms by their first characters, then by length: a line is read once, however many secrets are alive. */
const byStart = new Map<string, Map<number, Set<string>>>();
/** Oldest first. */
const known = new Set<string>();

/** Masked in every log line from now on. */
export function addSecret(value: string | null | undefined): void {
  if (!value || value.length < MIN_LENGTH || value.length > MAX_LENGTH) return;
  const fresh = !known.delete(value);
  known.add(value);
  if (!fresh) return;
  for (const form of longForms(value)) addForm(form);
  const [oldest] = known;
  if (known.size > MAX_KNOWN && oldest !== undefined) forget(oldest);
}

function longForms(value: string): string[] {
  return [...formsOf(value)].filter((form) => form.length >= MIN_LENGTH);
}

function addForm(form: string): void {
  const start = form.slice(0, MIN_LENGTH);
  const byLength = byStart.get(start) ?? new Map<number, Set<string>>();
  byStart.set(start, byLength);
  const forms = byLength.get(form.length) ?? new Set<string>();
  byLength.set(form.length, forms.add(form));
}

function forget(value: string): void {
  known.delete(value);
  for (const form of longForms(value)) {
    const byLength = byStart.get(form.slice(0, MIN_LENGTH));
    const forms = byLength?.get(form.length);
    forms?.delete(form);
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
