import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import sharp from "sharp";

export interface GivenItem {
  guid?: string;
  title: string;
  /** Path of its recording; absent: none. */
  audio?: string;
  more?: string;
  /** Of January 2026; absent: the later in the list, the older. */
  day?: number;
}

/** One frame of MPEG-1 layer III, mono, 128 kbit/s, 44.1 kHz, that holds silence. */
const FRAME = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0xc4]), Buffer.alloc(413)]);

/** A recording of some seconds; each path's is another one. */
export function recordingAt(path: string): Buffer {
  const frames = 60 + (createHash("sha256").update(path).digest().readUInt16BE(0) % 200);
  return Buffer.concat(Array.from({ length: frames }, () => FRAME));
}

/** A square of one colour. */
export async function cover(edge: number, format: "jpeg" | "png" | "webp" = "jpeg", height = edge): Promise<Buffer> {
  return sharp({ create: { width: edge, height, channels: 3, background: "#0f766e" } })
    .toFormat(format)
    .toBuffer();
}

/** A feed as another host writes it. */
export function feedXml(origin: string, items: readonly GivenItem[], channel = ""): string {
  const item = ({ guid, title, audio, more = "", day }: GivenItem, index: number): string => `<item>
  <title>${title}</title>
  ${guid === undefined ? "" : `<guid isPermaLink="false">${guid}</guid>`}
  <pubDate>${new Date(Date.UTC(2026, 0, day ?? 31 - index, 7)).toUTCString()}</pubDate>
  <description>Notes of ${title}.</description>
  ${audio ? `<enclosure url="${origin}${audio}" length="${recordingAt(audio).length}" type="audio/mpeg"/><itunes:duration>1</itunes:duration>` : ""}
  ${more}
</item>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0"
  xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel>
<title>Chuyện phố &amp; đêm</title>
<link>${origin}/</link>
<description>Slow talks.</description>
<language>vi</language>
<copyright>2026 Maya</copyright>
<itunes:author>Maya</itunes:author>
<itunes:owner><itunes:name>Maya</itunes:name><itunes:email>maya@example.com</itunes:email></itunes:owner>
<itunes:image href="${origin}/cover.jpg"/>
<itunes:category text="Arts"><itunes:category text="Books"/></itunes:category>
<itunes:category text="Of our own"/>
<itunes:explicit>false</itunes:explicit>
<itunes:type>serial</itunes:type>
<podcast:guid>917393e3-1b1e-5cef-ace4-edaa54e1f810</podcast:guid>
${channel}
${items.map(item).join("\n")}
</channel>
</rss>`;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A host of a feed and its files, which answers as it should (ranges, HEAD, types) wherever a test does not say otherwise.
 * `asked` counts the requests by method and path.
 */
export async function givenHost(t: TestContext, answers: Record<string, Answer | string> = {}) {
  const picture = await cover(1400);
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const key = `${request.method} ${path}`;
    asked.set(key, (asked.get(key) ?? 0) + 1);
    const own = answers[path];
    if (typeof own === "function") return own(request, response);
    const [body, type] = own
      ? [Buffer.from(own), "application/rss+xml; charset=utf-8"]
      : path.endsWith(".mp3")
        ? [recordingAt(path), "audio/mpeg"]
        : path === "/cover.jpg"
          ? [picture, "image/jpeg"]
          : [null, ""];
    if (!body) return void response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const [from, to] = range ? [Number(range[1]), range[2] ? Number(range[2]) : body.length - 1] : [0, body.length - 1];
    response.writeHead(range ? 206 : 200, {
      "content-type": type,
      "content-length": to - from + 1,
      etag: '"one"',
      ...(range && { "content-range": `bytes ${from}-${to}/${body.length}` }),
    });
    response.end(request.method === "HEAD" ? undefined : body.subarray(from, to + 1));
    return undefined;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    /** From now on. */
    answer: (path: string, how: Answer | string): void => void (answers[path] = how),
  };
}
