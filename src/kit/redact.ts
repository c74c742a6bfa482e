/**
 * Secrets that are alive in this process. Whatever leaves through a log goes through `redact`, which knows each value
 * in the forms in which it tends to leak: plain, URL-encoded, Base64, hex, JSON-escaped.
 */
const live = new Map<string, string>();

/** Shorter values would blot out ordinary words. */
const MIN_LENGTH = 4;

export function addSecret(value: string | null | undefined): void {
  if (!value || value.length < MIN_LENGTH) return;
  const bytes = Buffer.from(value);
  const forms = [value, encodeURIComponent(value), new URLSearchParams({ v: value }).toString().slice(2), bytes.toString("base64"), bytes.toString("base64url"), bytes.toString("hex"), JSON.stringify(value).slice(1, -1)];
  for (const form of forms) if (form.length >= MIN_LENGTH) live.set(form, "[secret]");
}

const patterns: readonly [RegExp, string][] = [
  [/\b(Bearer\s+)[A-Za-z0-9._~+/-]{8,}=*/gi, "$1[secret]"],
  [/\b(postgres(?:ql)?:\/\/[^:/\s]+:)[^@\s]+@/gi, "$1[secret]@"],
  [/(otpauth:\/\/[^\s"']*secret=)[A-Z2-7]+/gi, "$1[secret]"],
  [/\b(pck_[A-Za-z0-9]{6})[A-Za-z0-9_-]{10,}/g, "$1[secret]"],
  [/((?:"?(?:password|passwd|pass_mail|app_password|twofa|cookie|set-cookie|authorization|x-api-key|secret|token)"?)\s*[:=]\s*"?)(?!\[secret\])[^\s",;}]{4,}/gi, "$1[secret]"],
];

export function redact(text: string): string {
  let out = text;
  for (const [form, mask] of live) if (out.includes(form)) out = out.replaceAll(form, mask);
  for (const [pattern, mask] of patterns) out = out.replace(pattern, mask);
  return out;
}
