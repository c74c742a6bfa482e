import type { FastifyInstance } from "fastify";
import { BadCall } from "./bad-call.ts";

/** `\u0000` that is not itself an escaped backslash followed by u0000. */
const NUL_ESCAPE = /(?<!\\)(?:\\\\)*\\u0000/;

/**
 * Bodies are JSON whatever their content type says: these APIs have no other.
 * @returns undefined for no body
 * @throws BadCall nul_character, malformed_json
 */
export function parseJsonBody(text: string): unknown {
  if (text.trim() === "") return undefined;
  if (text.includes("\0") || NUL_ESCAPE.test(text)) throw new BadCall("nul_character");
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new BadCall("malformed_json");
  }
}

export function readEveryBodyAsJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, text, done) => {
    try {
      done(null, parseJsonBody(text as string));
    } catch (error) {
      done(error as Error);
    }
  });
}
