import { createServer, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { TestContext } from "node:test";
import type { StudioConfig } from "../../../src/studio/context.ts";

export interface MemoryBucket {
  /** For a studio that keeps its media there. */
  config: Pick<StudioConfig, "mediaStore" | "mediaStoreKeyId" | "mediaStoreSecret">;
  /** refuse: what comes is turned away at once. hold: it waits for the answer. */
  puts: "take" | "refuse" | "hold";
  /** How many have come. */
  asked(): number;
  /** Takes what it holds, and all that comes. */
  release(): void;
}

/** The wire is S3's, the bucket a map; nobody checks the signatures. */
export async function memoryBucket(t: TestContext): Promise<MemoryBucket> {
  const files = new Map<string, Buffer>();
  const held = new Set<() => void>();
  let asked = 0;
  const take = (url: string, bytes: Buffer, response: ServerResponse): void => {
    files.set(url, bytes);
    response.end();
  };
  const server = createServer((request, response) => {
    const { method, url = "" } = request;
    void buffer(request).then((bytes) => {
      if (method === "PUT") {
        asked += 1;
        if (bucket.puts === "refuse") return void response.writeHead(403).end("<Error><Code>AccessDenied</Code></Error>");
        if (bucket.puts === "hold") return void held.add(() => take(url, bytes, response));
        return take(url, bytes, response);
      }
      if (url.includes("?")) return void response.end("<ListBucketResult></ListBucketResult>");
      const file = files.get(url);
      if (!file) return void response.writeHead(404).end();
      response.writeHead(200, { "content-length": file.length, "last-modified": new Date().toUTCString() });
      return void response.end(method === "HEAD" ? undefined : file);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const endpoint = `http://127.0.0.1:${typeof bound === "object" && bound ? bound.port : 0}`;
  const bucket: MemoryBucket = {
    config: {
      mediaStore: { kind: "s3", bucket: "podcasts", prefix: "", endpoint, region: "eu-1", style: "path" },
      mediaStoreKeyId: "id",
      mediaStoreSecret: "secret",
    },
    puts: "take",
    asked: () => asked,
    release() {
      bucket.puts = "take";
      for (const go of held) go();
      held.clear();
    },
  };
  t.after(() => {
    bucket.release();
    server.closeAllConnections();
    server.close();
  });
  return bucket;
}
