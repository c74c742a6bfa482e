import { z } from "zod";
import type { ApiRoute } from "../../contract/api-route.ts";
import type { ApiBook, ApiSection } from "./book.ts";
import { jsonSchema } from "./json-schema.ts";

/** OpenAPI 3.1, as far as it is made here. */
export interface OpenApi {
  openapi: "3.1.0";
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, object>>;
  components: object;
}

/** Made of the same schemas by which calls are checked. */
export function openApiOf(book: ApiBook, version: string, server: string): OpenApi {
  const paths: OpenApi["paths"] = {};
  for (const section of book.sections)
    for (const [name, route] of Object.entries<ApiRoute<string>>(section.routes)) {
      const path = section.prefix + route.path.replaceAll(/:(\w+)/g, "{$1}");
      (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(book, section, name, route);
    }
  return {
    openapi: "3.1.0",
    info: { title: book.title, version, description: book.about },
    servers: [{ url: server }],
    tags: book.sections.map(({ title, about }) => ({ name: title, description: about })),
    paths,
    components: { securitySchemes: book.securitySchemes, schemas: { Refusal: book.refusals.schema } },
  };
}

function operationOf(book: ApiBook, section: ApiSection, name: string, route: ApiRoute<string>): object {
  const { status = 200, needs, otherwise = {} } = route;
  const permission = book.permissions[needs];
  const others = Object.entries(otherwise).map(([code, { when, answer }]) => [code, { description: when, content: jsonOf(answer) }]);
  return {
    operationId: name,
    tags: [section.title],
    summary: route.summary,
    description: [permission?.who ?? "Anybody.", route.row && `Row ${route.row}.`].filter(Boolean).join(" "),
    parameters: [...pathParameters(book, route), ...queryParameters(route)],
    ...(route.file === "sent" && {
      requestBody: { required: true, content: { "multipart/form-data": { schema: fileForm(route.fileField) } } },
    }),
    ...(route.file === "raw" && { requestBody: { required: true, content: { "*/*": {} } } }),
    ...(route.body && { requestBody: { required: true, content: { "application/json": { schema: jsonSchema(route.body, "input") } } } }),
    responses: {
      [status]: {
        description: "Done",
        ...(status !== 204 && { content: route.file === "answered" ? { "*/*": {} } : answerOf(route) }),
      },
      ...Object.fromEntries(others),
      default: { description: "Refused", content: { "application/json": { schema: { $ref: "#/components/schemas/Refusal" } } } },
    },
    security: permission?.security ?? [],
  };
}

const jsonOf = (answer: z.ZodType): object => ({ "application/json": { schema: jsonSchema(answer, "output") } });

/** With a `format` it is either JSON or CSV. */
function answerOf({ query, answer }: ApiRoute<string>): object {
  if (!query?.shape["format"] || !(answer instanceof z.ZodUnion)) return jsonOf(answer);
  const [json, csv] = answer.options as z.ZodType[];
  return {
    ...(json && { "application/json": { schema: jsonSchema(json, "output") } }),
    ...(csv && { "text/csv": { schema: jsonSchema(csv, "output") } }),
  };
}

const fileForm = (field = "file"): object => ({
  type: "object",
  required: [field],
  properties: { [field]: { type: "string", contentMediaType: "application/octet-stream" } },
});

function pathParameters({ parameter }: ApiBook, { path, words = {} }: ApiRoute<string>): object[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", ...(words[name] && { enum: words[name] }), ...parameter?.(name) },
  }));
}

function queryParameters({ query }: ApiRoute<string>): object[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = jsonSchema(schema as z.ZodType, "input");
    return { name, in: "query", required: false, ...(description && { description }), schema: rest };
  });
}
