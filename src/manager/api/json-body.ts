import type { FastifyInstance } from "fastify";
import { parseJsonBody } from "../read-body.ts";

/** Bodies are JSON, whatever their content type says: these APIs have no other. */
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
