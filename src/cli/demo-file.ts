import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateSecret } from "otplib";
import { z } from "zod";
import type { Config } from "../kit/config.ts";
import { pinSecrets } from "../kit/redact.ts";
import { firstKey } from "./parts.ts";

/** `<PODCREW_DATA>/demo.json`, readable by its owner only. */
interface DemoFile {
  manager: { url: string; apiKey: string; email: string; password: string };
  studio: { url: string; adminKey: string; email: string; password: string; totpSecret: string };
  taskApi: { url: string };
}

/** What is not as a demo writes it is as if it weren't there. */
const written = z.looseObject({
  manager: z.looseObject({ password: z.string().min(10).optional().catch(undefined) }).catch({}),
  studio: z
    .looseObject({
      password: z.string().min(8).optional().catch(undefined),
      totpSecret: z
        .string()
        .regex(/^[A-Z2-7]{16,}$/)
        .optional()
        .catch(undefined),
    })
    .catch({}),
});

/**
 * Keeps the secrets that stand in the file, makes those that are missing, and writes it: before the accounts, for one whose password
 * nobody wrote down would be lost.
 */
export async function keepDemoFile(
  config: Config,
  { email, managerUrl, studioUrl, taskApiUrl }: { email: string; managerUrl: string; studioUrl: string; taskApiUrl: string },
): Promise<DemoFile> {
  const path = join(config.data, "demo.json");
  const before = await readDemoFile(path);
  const password = before.studio.password ?? newPassword();
  const totpSecret = before.studio.totpSecret ?? generateSecret();
  const managerPassword = before.manager.password ?? newPassword();
  pinSecrets(password, totpSecret, managerPassword);
  const file: DemoFile = {
    manager: { url: managerUrl, apiKey: (await firstKey(config)) ?? "", email, password: managerPassword },
    studio: { url: studioUrl, adminKey: await studioAdminKey(config), email, password, totpSecret },
    taskApi: { url: taskApiUrl },
  };
  await writeFile(`${path}.new`, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  return file;
}

const newPassword = (): string => randomBytes(9).toString("base64url");

async function readDemoFile(path: string): Promise<z.output<typeof written>> {
  try {
    return written.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return { manager: {}, studio: {} };
  }
}

async function studioAdminKey(config: Config): Promise<string> {
  try {
    return (JSON.parse(await readFile(join(config.data, "studio.json"), "utf8")) as { adminKey?: string }).adminKey ?? "";
  } catch {
    return "";
  }
}
