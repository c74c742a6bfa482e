import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { AwsV4Signer } from "aws4fetch";
import { freePort, startServer, type ServerProcess } from "../server-process.ts";
import type { RealSite, RunningSite } from "../real-site.ts";
import { proxyFile, ringsScript, serverFile, swiftFile } from "./files.ts";

const run = promisify(execFile);

export interface RunningSwift extends RunningSite {
  key: { keyId: string; secret: string };
  /** A new empty bucket. */
  makeBucket(name: string): Promise<void>;
  /** Nobody answers any more, until it comes back. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

const key = { keyId: "podcrew:studio", secret: "demo-secret" } as const;
/** Python that reads its packages on a busy machine. */
const UP_WITHIN_MS = 120_000;
const servers = ["account", "container", "object"] as const;

/** OpenStack Swift with its S3 API, as Debian ships it: one proxy, one disk, one copy of everything, in processes of our own. */
export const site: RealSite<RunningSwift> = {
  name: "swift",
  packages: ["swift-proxy", "swift-account", "swift-container", "swift-object"],
  // All that it has are files that name ports.
  async install(folder) {
    await mkdir(join(folder, "devices", "disk"), { recursive: true });
    await writeFile(join(folder, "swift.conf"), swiftFile);
    await writeFile(join(folder, "rings.py"), ringsScript);
  },
  async start(folder, port) {
    const ports: Record<string, number> = {};
    for (const name of servers) ports[name] = await freePort();
    const running: ServerProcess[] = [];
    const close = async (): Promise<void> => void (await Promise.all(running.map(async (server) => server.end())));
    const start = async (name: string, at: number, file: string): Promise<ServerProcess> => {
      const path = join(folder, `${name}.conf`);
      await writeFile(path, file);
      const up = async (): Promise<boolean> =>
        (await fetch(`http://127.0.0.1:${at}/healthcheck`, { signal: AbortSignal.timeout(10_000) })).ok;
      const server = await startServer(`/usr/bin/swift-${name}-server`, [path], { cwd: folder, up, upWithinMs: UP_WITHIN_MS });
      running.push(server);
      return server;
    };
    const user = userInfo().username;
    const startProxy = async (): Promise<ServerProcess> => start("proxy", port, proxyFile({ port, folder, user, key }));
    let proxy: ServerProcess;
    try {
      await run("/usr/bin/python3", [join(folder, "rings.py"), folder, ...servers.map((name) => `${name}=${ports[name]}`)]);
      [proxy] = await Promise.all([
        startProxy(),
        ...servers.map(async (name) => start(name, ports[name] ?? 0, serverFile(name, { port: ports[name] ?? 0, folder, user }))),
      ]);
    } catch (error) {
      await close();
      throw error;
    }
    const origin = `http://127.0.0.1:${port}`;
    return {
      origin,
      key,
      close,
      goAway: async () => proxy.end(),
      comeBack: async () => void (proxy = await startProxy()),
      async makeBucket(name) {
        const url = `${origin}/${name}`;
        const signer = new AwsV4Signer({
          method: "PUT",
          url,
          accessKeyId: key.keyId,
          secretAccessKey: key.secret,
          service: "s3",
          region: "us-east-1",
        });
        const { headers } = await signer.sign();
        const answer = await fetch(url, { method: "PUT", headers, signal: AbortSignal.timeout(30_000) });
        if (!answer.ok) throw new Error(`no bucket: ${answer.status} ${await answer.text()}`);
      },
    };
  },
};
