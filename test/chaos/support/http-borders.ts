/** Where one HTTP/1.1 message ends and the next begins; nothing else about it is understood. */
export interface Message {
  /** e.g. "POST /shows/x/assets HTTP/1.1" or "HTTP/1.1 200 OK" */
  startLine: string;
  /** All of it, head and body. */
  bytes: Buffer;
  /** Length of the head with its empty line. */
  headBytes: number;
}

const HEAD_END = "\r\n\r\n";

/**
 * Cuts a byte stream into messages.
 * @param bodyless whether the message with this start line has no body, whatever its head says (HEAD, 204, 304, 1xx)
 * @param untilClose a body without a length ends with the stream (replies), or is none (requests)
 */
export class Borders {
  #buffer = Buffer.alloc(0);
  readonly #bodyless: (startLine: string) => boolean;
  readonly #untilClose: boolean;

  constructor({ bodyless = () => false, untilClose }: { bodyless?: (startLine: string) => boolean; untilClose: boolean }) {
    this.#bodyless = bodyless;
    this.#untilClose = untilClose;
  }

  /** @returns messages that are complete now */
  push(chunk: Buffer): Message[] {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    const messages: Message[] = [];
    for (let message = this.#take(false); message; message = this.#take(false)) messages.push(message);
    return messages;
  }

  /** The stream has ended. @returns what only its end completes */
  end(): Message | null {
    return this.#take(true);
  }

  #take(ended: boolean): Message | null {
    const head = this.#buffer.indexOf(HEAD_END);
    if (head < 0) return null;
    const headBytes = head + HEAD_END.length;
    const lines = this.#buffer.toString("latin1", 0, head).split("\r\n");
    const startLine = lines[0] ?? "";
    const length = this.#bodyless(startLine) ? 0 : this.#bodyLength(lines, headBytes, ended);
    if (length === null || this.#buffer.length < headBytes + length) return null;
    const bytes = this.#buffer.subarray(0, headBytes + length);
    this.#buffer = this.#buffer.subarray(headBytes + length);
    return { startLine, bytes, headBytes };
  }

  /** null: not known yet. */
  #bodyLength(lines: readonly string[], from: number, ended: boolean): number | null {
    const field = (name: string): string | undefined =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim();
    if (/chunked$/i.test(field("transfer-encoding") ?? "")) return this.#chunkedLength(from);
    const given = field("content-length");
    if (given !== undefined) return Number(given);
    if (!this.#untilClose) return 0;
    return ended ? this.#buffer.length - from : null;
  }

  #chunkedLength(from: number): number | null {
    for (let at = from; ;) {
      const end = this.#buffer.indexOf("\r\n", at);
      if (end < 0) return null;
      const size = Number.parseInt(this.#buffer.toString("latin1", at, end), 16);
      at = end + 2 + size + 2;
      // Trailers are not understood: nobody here sends any.
      if (size === 0) return at - from;
      if (at > this.#buffer.length) return null;
    }
  }
}
