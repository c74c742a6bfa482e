import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pinSecrets } from "./redact.ts";

/**
 * The word that opens the secret part of the farm's port: whoever can read the data folder may take sessions out of it. Made
 * once, readable by its owner only.
 */
export async function makeAccessToken(dataDir: string): Promise<string> {
  const made = randomBytes(24).toString("base64url");
  try {
    await writeFile(join(dataDir, FILE), `${made}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return (await readAccessToken(dataDir)) ?? made;
}

/** null: no farm has run on this folder, or it belongs to somebody else. */
export async function readAccessToken(dataDir: string): Promise<string | null> {
  const token = (await readFile(join(dataDir, FILE), "utf8").catch(() => "")).trim();
  pinSecrets(token);
  return token || null;
}

/** @param header as it came: "Bearer …" */
export function opens(token: string, header: string | undefined): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(`Bearer ${token}`), digest(header ?? ""));
}

const FILE = "farm-token";
