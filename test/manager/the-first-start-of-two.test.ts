import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openManager } from "../../src/manager/manager.ts";
import { silentLog } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { withManager } from "./support.ts";

withManager(
  "two managers that start first on one database both start, and no file says a password that opens nothing",
  async (scene, t) => {
    const { store, vault, clock } = scene;
    const folders = [await tempDir(t), await tempDir(t)];
    const starts = await Promise.allSettled(
      folders.map(async (dataDir) =>
        openManager({ store, vault, clock, log: silentLog, dataDir, config: { host: "127.0.0.1", port: 0, allowedHosts: [] } }),
      ),
    );
    for (const start of starts) if (start.status === "fulfilled") t.after(async () => start.value.close());
    assert.deepEqual(
      starts.map(({ status }) => status),
      ["fulfilled", "fulfilled"],
    );
    const files = await Promise.all(folders.map(readCredentials));
    // Who comes after the other's key, or owner, makes none, and has no file where it made neither.
    assert.ok(files.some(({ apiKey }) => apiKey !== undefined));
    const withPassword = files.filter(({ password }) => password !== undefined);
    assert.equal(withPassword.length, 1);
    for (const { url, apiKey, email, password } of files) {
      if (apiKey !== undefined) {
        const pulled = await fetch(`${url}/api/v1/podcast/links`, { headers: { "x-api-key": apiKey } });
        assert.equal(pulled.status, 200);
      }
      if (password === undefined) assert.equal(email, undefined);
      else {
        const login = await fetch(`${url}/api/v1/auth/login`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ email, password }),
        });
        assert.equal(login.status, 200);
      }
    }
  },
);

async function readCredentials(folder: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(join(folder, "manager.json"), "utf8")) as Record<string, string>;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOENT");
    return {};
  }
}
