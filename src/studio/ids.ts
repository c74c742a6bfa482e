import { createHash, randomBytes } from "node:crypto";

/** PodOps: an id is 12 hex digits. */
export function newGuid(): string {
  return randomBytes(6).toString("hex");
}

/** An unguessable value for cookies, keys and file names: 256 bits. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** What the database keeps of a token: enough to recognise it, useless to a thief. Tokens have 256 bits, so no salt. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

export const guidPattern = /^[0-9a-f]{12}$/;
export const namePattern = /^[a-z0-9_-]{8,44}$/;

/** "Chuyện sáng nay!" -> "chuyen-sang-nay"; "" where nothing is left (other scripts). */
export function slugify(title: string): string {
  const plain = title.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
  return plain
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replace(/^-+|-+$/g, "");
}
