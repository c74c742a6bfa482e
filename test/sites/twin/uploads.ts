import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** A file that came in; `processing` for a while, as if it were encoded. */
export interface Upload {
  id: string;
  /** As the visitor's file was called. */
  name: string;
  type: string;
  bytes: Buffer;
  readyAt: number;
}

const endings: Readonly<Record<string, string>> = {
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
  "audio/x-m4a": "m4a",
  "audio/wav": "wav",
  "image/jpeg": "jpg",
  "image/png": "png",
};

/** Files in memory: taken as multipart, told about, served with ranges under /media/. */
export class Uploads {
  readonly #files = new Map<string, Upload>();
  readonly #processingMs: number;

  constructor({ processingMs }: { processingMs: number }) {
    this.#processingMs = processingMs;
  }

  get(id: string | null): Upload | null {
    return (id && this.#files.get(id)) || null;
  }

  /** One that came in by another way. */
  keep(upload: Upload): Upload {
    this.#files.set(upload.id, upload);
    return upload;
  }

  isReady({ readyAt }: Upload): boolean {
    return Date.now() >= readyAt;
  }

  /** The one file of a multipart request. null: there was none. */
  async take(request: FastifyRequest): Promise<Upload | null> {
    const part = await request.file();
    if (!part) return null;
    const bytes = await part.toBuffer();
    const upload = {
      id: randomBytes(8).toString("hex"),
      name: part.filename,
      type: part.mimetype,
      bytes,
      readyAt: Date.now() + this.#processingMs,
    };
    return this.keep(upload);
  }

  /** Sites give files names of their own; the visitor's is not in the address. */
  path({ id, type }: Upload): string {
    return `/media/${id}.${endings[type] ?? "bin"}`;
  }

  /** @param isMember only members may upload; everybody may listen */
  addRoutes(app: FastifyInstance, isMember: (request: FastifyRequest) => boolean): void {
    app.post("/api/uploads", async (request, reply) => {
      if (!isMember(request)) return reply.code(401).send({ message: "signed out" });
      const upload = await this.take(request);
      return upload ? { id: upload.id } : reply.code(400).send({ message: "no file" });
    });
    app.get("/api/uploads/:id", async (request, reply) => {
      const upload = this.get((request.params as { id: string }).id);
      return upload ? { ready: this.isReady(upload) } : reply.code(404).send({ message: "no such file" });
    });
    this.addListening(app);
  }

  /** Everybody may. */
  addListening(app: FastifyInstance): void {
    app.get("/media/:file", async (request, reply) =>
      this.send(request, reply, (request.params as { file: string }).file.replace(/\.\w+$/, "")),
    );
  }

  protected send(request: FastifyRequest, reply: FastifyReply, id: string): FastifyReply {
    const upload = this.get(id);
    return upload ? sendRange(request, reply, upload) : reply.code(404).send();
  }
}

/** HEAD comes from Fastify itself. */
function sendRange(request: FastifyRequest, reply: FastifyReply, { bytes, type }: Upload): FastifyReply {
  reply.type(type).header("accept-ranges", "bytes");
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  if (!range) return reply.send(bytes);
  const [from, to] = [Number(range[1]), Math.min(Number(range[2] || bytes.length - 1), bytes.length - 1)];
  if (from > to) return reply.code(416).header("content-range", `bytes */${bytes.length}`).send();
  return reply
    .code(206)
    .header("content-range", `bytes ${from}-${to}/${bytes.length}`)
    .send(bytes.subarray(from, to + 1));
}
