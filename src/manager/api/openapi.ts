import { z } from "zod";
import type { ApiRoute, ApiRoutes, Needs } from "../../contract/api-route.ts";
import { jsonSchema } from "./json-schema.ts";

/** The routes of one API, with the address in front of them. */
export interface ApiSection {
  title: string;
  about: string;
  prefix: string;
  routes: ApiRoutes;
}

/** OpenAPI 3.1, as far as it is made here. */
export interface OpenApi {
  openapi: "3.1.0";
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, object>>;
  components: object;
}

const forbidden: Readonly<Record<Exclude<Needs, "open">, { security: object[]; who: string }>> = {
  viewer: { security: [{ token: [] }], who: "Anybody who is signed in." },
  operator: { security: [{ token: [] }], who: "Operators and owners." },
  owner: { security: [{ token: [] }], who: "Owners." },
  "content:read": { security: [{ key: [] }, { token: [] }], who: "API keys with the scope content:read, and anybody who is signed in." },
  "content:write": { security: [{ key: [] }, { token: [] }], who: "API keys with the scope content:write, operators and owners." },
  worker: { security: [{ key: [] }], who: "API keys with the scope worker." },
};

/** Made of the same schemas by which calls are checked. */
export function openApiOf(info: OpenApi["info"], server: string, sections: readonly ApiSection[]): OpenApi {
  const paths: OpenApi["paths"] = {};
  for (const section of sections)
    for (const [name, route] of Object.entries<ApiRoute>(section.routes)) {
      const path = section.prefix + route.path.replaceAll(/:(\w+)/g, "{$1}");
      (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(section, name, route);
    }
  return {
    openapi: "3.1.0",
    info,
    servers: [{ url: server }],
    tags: sections.map(({ title, about }) => ({ name: title, description: about })),
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        key: { type: "apiKey", in: "header", name: "X-API-Key" },
      },
      schemas: {
        Refusal: {
          type: "object",
          required: ["success", "message", "code"],
          properties: { success: { const: false }, message: { type: "string" }, code: { type: "string" } },
        },
      },
    },
  };
}

function operationOf(section: ApiSection, name: string, route: ApiRoute): object {
  const { status = 200, needs } = route;
  const guarded = needs === "open" ? null : forbidden[needs];
  return {
    operationId: name,
    tags: [section.title],
    summary: route.summary,
    description: [guarded?.who ?? "Anybody.", route.row && `Row ${route.row}.`].filter(Boolean).join(" "),
    parameters: [...pathParameters(route), ...queryParameters(route)],
    ...(route.file === "sent" && { requestBody: { required: true, content: { "multipart/form-data": { schema: FILE_FORM } } } }),
    ...(route.body && { requestBody: { required: true, content: { "application/json": { schema: jsonSchema(route.body, "input") } } } }),
    responses: {
      [status]: {
        description: "Done",
        content: route.file === "answered" ? { "*/*": {} } : answerOf(route),
      },
      default: { description: "Refused", content: { "application/json": { schema: { $ref: "#/components/schemas/Refusal" } } } },
    },
    security: guarded?.security ?? [],
  };
}

/** With a `format` it is either JSON or CSV. */
function answerOf({ query, answer }: ApiRoute): object {
  if (!query?.shape["format"] || !(answer instanceof z.ZodUnion)) return { "application/json": { schema: jsonSchema(answer, "output") } };
  const [json, csv] = answer.options as z.ZodType[];
  return {
    ...(json && { "application/json": { schema: jsonSchema(json, "output") } }),
    ...(csv && { "text/csv": { schema: jsonSchema(csv, "output") } }),
  };
}

const FILE_FORM = {
  type: "object",
  required: ["file"],
  properties: { file: { type: "string", contentMediaType: "application/octet-stream" } },
} as const;

function pathParameters({ path, words = {} }: ApiRoute): object[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", ...(words[name] && { enum: words[name] }), ...(/id$/i.test(name) && { format: "uuid" }) },
  }));
}

function queryParameters({ query }: ApiRoute): object[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = jsonSchema(schema as z.ZodType, "input");
    return { name, in: "query", required: false, ...(description && { description }), schema: rest };
  });
}
