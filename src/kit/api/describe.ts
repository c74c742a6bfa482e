import type { FastifyInstance } from "fastify";
import { packageVersion } from "../package-version.ts";
import type { ApiBook } from "./book.ts";
import { docsPage } from "./docs-page.ts";
import { openApiOf } from "./openapi.ts";

/** `/openapi.json` for programs, `/docs` for readers. @param publicUrl the address that others are told; known once it listens */
export function describeApis(app: FastifyInstance, book: ApiBook, publicUrl: () => string): void {
  const page = docsPage(book);
  app.get("/openapi.json", async () => openApiOf(book, packageVersion(), publicUrl()));
  app.get("/docs", async (_request, reply) =>
    reply.type("text/html; charset=utf-8").header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'").send(page),
  );
}
