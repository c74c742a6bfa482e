import type { TestContext } from "node:test";
import { createServer, type Socket } from "node:net";
import sharp from "sharp";
import { generateSync } from "otplib";
import { openStudio, type Studio, type StudioOptions } from "../../src/studio/studio.ts";
import type { StudioConfig } from "../../src/studio/context.ts";
import { openVault } from "../../src/store/vault.ts";
import { silentLog, type Given } from "../support/store.ts";

export const password = "demo-password";
export const email = "maya@example.com";

/** A studio on a free port, with an account and a show; closed after the test. */
export async function givenStudio(
  t: TestContext,
  { store, dataDir }: Pick<Given, "store" | "dataDir">,
  options: Partial<Omit<StudioOptions, "config">> & { config?: Partial<StudioConfig> } = {},
): Promise<Studio> {
  const config: StudioConfig = {
    host: "127.0.0.1",
    port: 0,
    allowedHosts: [],
    dataDir,
    mailFrom: "studio@podcrew.example",
    timeZone: "Asia/Ho_Chi_Minh",
    ...options.config,
  };
  const edges = { processingMs: 0, ...options.edges };
  const studio = await openStudio({ store, vault: openVault({ dataDir, embedded: true }), log: silentLog, ...options, edges, config });
  t.after(async () => studio.close());
  return studio;
}

export const showName = "slow-mornings";

/** An account without a second factor and its show. */
export async function givenShow(studio: Studio): Promise<{ ownerId: string }> {
  const { id } = await studio.accounts.create({ email, password, secondFactor: "none", name: "Maya" });
  await studio.shows.create({ ownerId: id, name: showName, title: "Slow Mornings", description: "Unhurried conversations." });
  return { ownerId: id };
}

/** The six digits that an authenticator would show. @param now epoch, ms */
export function codeAt(secret: string, now: number): string {
  return generateSync({ secret, epoch: Math.floor(now / 1000) });
}

interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Path of a redirect. */
  location: string;
}

/** Somebody with a browser's manners: keeps cookies, follows nothing by itself, fills in a form's hidden proof. */
export class Visitor {
  readonly #origin: string;
  readonly #cookies = new Map<string, string>();
  /** From the last page that was seen. */
  csrf = "";
  language = "en";

  constructor(origin: string) {
    this.#origin = origin;
  }

  async request(
    method: string,
    path: string,
    init: { accept?: string; headers?: Record<string, string>; body?: string | FormData } = {},
  ): Promise<Answer> {
    const headers = {
      accept: init.accept ?? "text/html",
      "accept-language": this.language,
      cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; "),
      ...init.headers,
    };
    const response = await fetch(new URL(path, this.#origin), {
      method,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(15_000),
      ...(init.body !== undefined && { body: init.body }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value) this.#cookies.set(name, value);
      else this.#cookies.delete(name);
    }
    const text = await response.text();
    this.csrf = /<meta name="csrf" content="([^"]*)"/.exec(text)?.[1] || this.csrf;
    return { status: response.status, headers: response.headers, text, location: response.headers.get("location") ?? "" };
  }

  get = async (path: string): Promise<Answer> => this.request("GET", path);

  /** A form of the page that was seen last. */
  async submit(path: string, fields: Record<string, string>): Promise<Answer> {
    const body = new URLSearchParams({ _csrf: this.csrf, ...fields }).toString();
    return this.request("POST", path, { body, headers: { "content-type": "application/x-www-form-urlencoded" } });
  }

  /** A call that the page's script makes. */
  async call(method: string, path: string, json?: unknown): Promise<Answer & { json: Record<string, unknown> }> {
    const answer = await this.request(method, path, {
      accept: "application/json",
      headers: { "x-csrf-token": this.csrf, ...(json !== undefined && { "content-type": "application/json" }) },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
    return { ...answer, json: answer.text ? (JSON.parse(answer.text) as Record<string, unknown>) : {} };
  }

  async upload(kind: "audio" | "cover", name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Answer & { json: Record<string, unknown> }> {
    const body = new FormData();
    body.append(kind, new Blob([bytes]), name);
    const answer = await this.request("POST", `/shows/${showName}/assets`, {
      accept: "application/json",
      headers: { "x-csrf-token": this.csrf },
      body,
    });
    return { ...answer, json: JSON.parse(answer.text) as Record<string, unknown> };
  }

  async signIn(secret = password, who = email): Promise<Answer> {
    await this.get("/login");
    const answer = await this.submit("/login", { email: who, password: secret });
    if (answer.status === 302) await this.get(answer.location);
    return answer;
  }

  /** Waits until an uploaded file is processed. */
  async settled(guid: unknown): Promise<Record<string, unknown>> {
    return until("the upload is processed", async () => {
      const { json } = await this.call("GET", `/shows/${showName}/assets/${String(guid)}`);
      return json["state"] === "processing" ? null : json;
    });
  }

  /** A draft with a recording that is ready. @returns its guid */
  async draft(fields: { title: string; about?: string; cover?: string; fileName?: string }): Promise<string> {
    const audio = await this.upload("audio", fields.fileName ?? "recording.wav", wav(2));
    await this.settled(audio.json["guid"]);
    const { fileName: _name, ...rest } = fields;
    const { json } = await this.call("POST", `/shows/${showName}/episodes`, { ...rest, audio: audio.json["guid"] });
    return String(json["guid"]);
  }

  publish = async (guid: string) => this.call("POST", `/shows/${showName}/episodes/${guid}/publish`);
}

/** Signed in, on the dashboard. */
export async function signedIn(studio: Studio): Promise<Visitor> {
  const visitor = new Visitor(studio.url);
  await visitor.signIn();
  return visitor;
}

/** Asks again until there is an answer; at most 10 s. */
export async function until<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > end) throw new Error(`this did not happen within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** A real recording: PCM, mono, 8 kHz, a tone. */
export function wav(seconds: number): Buffer<ArrayBuffer> {
  const rate = 8000;
  const samples = rate * seconds;
  const file = Buffer.alloc(44 + samples * 2);
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + samples * 2, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(samples * 2, 40);
  for (let index = 0; index < samples; index++) file.writeInt16LE(Math.round(Math.sin(index / 4) * 9000), 44 + index * 2);
  return file;
}

export async function picture(width: number, height: number, format: "jpeg" | "png" | "webp" = "jpeg"): Promise<Buffer<ArrayBuffer>> {
  const bytes = await sharp({ create: { width, height, channels: 3, background: "#0f766e" } })
    .toFormat(format)
    .toBuffer();
  return Buffer.from(bytes);
}

export interface Letter {
  to: string;
  source: string;
}

/** A mail server that takes everything: the wire is real, the mailbox is a list. */
export async function smtpSink(t: TestContext): Promise<{ url: string; letters: Letter[] }> {
  const letters: Letter[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let [rest, to, data] = ["", "", false];
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    const hear = (line: string): void => {
      to = /^RCPT TO:<([^>]*)>/i.exec(line)?.[1] ?? to;
      data = /^DATA/i.test(line);
      say(data ? "354 go on" : /^QUIT/i.test(line) ? "221 bye" : "250 ok");
    };
    say("220 sink");
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      rest += chunk.toString("utf8");
      for (;;) {
        const mark = data ? "\r\n.\r\n" : "\r\n";
        const end = rest.indexOf(mark);
        if (end < 0) return;
        const part = rest.slice(0, end);
        rest = rest.slice(end + mark.length);
        if (!data) {
          hear(part);
          continue;
        }
        data = false;
        letters.push({ to, source: part });
        say("250 kept");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { url: `smtp://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`, letters };
}
