import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** What the image does, without an engine: the entry point as an ordinary user who may not write the code folder. */
const project = fileURLToPath(new URL("..", import.meta.url));
const NOBODY = 65_534;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("as an ordinary user with a code folder that is not theirs: comes up well, drains on SIGTERM", async (t) => {
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot && spawnSync(process.execPath, [join(project, "src/cli/main.ts"), "--version"], { ...user, cwd: "/" }).status !== 0)
    return t.skip("an ordinary user can't read this checkout or its Node");
  const data = mkdtempSync(join(tmpdir(), "podcrew-image-"));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  if (isRoot) chownSync(data, NOBODY, NOBODY);
  const ports = { TASK_PORT: await freePort(), MANAGER_PORT: await freePort(), STUDIO_PORT: await freePort() };
  const env = {
    PATH: process.env["PATH"],
    HOME: data,
    TMPDIR: data,
    PODCREW_DATA: data,
    LOG_FORMAT: "json",
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
  };

  const podcrew = spawn(process.execPath, [join(project, "src/cli/main.ts"), "up"], {
    ...user,
    cwd: data,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => podcrew.kill("SIGKILL"));
  let said = "";
  for (const stream of [podcrew.stdout, podcrew.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const exited = once(podcrew, "exit");

  const healthy = (): boolean => spawnSync(process.execPath, [join(project, "scripts/docker/healthcheck.mjs")], { env }).status === 0;
  const deadline = Date.now() + 90_000;
  while (podcrew.exitCode === null && !healthy() && Date.now() < deadline) await sleep(250);
  assert.ok(healthy(), said);

  podcrew.kill("SIGTERM");
  const [code] = (await exited) as [number | null];
  assert.equal(code, 0, said);
  return undefined;
});
