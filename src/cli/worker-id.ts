import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** This farm's name at the manager: made once, so that after a restart it is the same holder of its leases. */
export async function workerId(dataDir: string): Promise<string> {
  const path = join(dataDir, "worker-id");
  const made = `${hostname()
    .replaceAll(/[^\w.-]/g, "-")
    .slice(0, 60)}-${randomBytes(4).toString("hex")}`;
  try {
    await writeFile(path, `${made}\n`, { flag: "wx", mode: 0o600 });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return (await readFile(path, "utf8")).trim() || made;
  }
}
