import type { ApiRoute, Needs } from "../../contract/api-route.ts";
import { jsonSchema, type JsonSchema } from "./json-schema.ts";

/** What stands in examples, by a field's name; of any other its type says enough. */
const byName: Readonly<Record<string, unknown>> = {
  email: "maya@example.com",
  password: "…",
  refresh_token: "…",
  name: "Mornings",
  title: "A cup of tea",
  service_type: "podcast",
  website: "studio.example.com",
  accounts: [{ website: "studio.example.com", email: "maya@example.com", password: "…" }],
  auction_price: 50,
  ids: ["01920000-0000-7000-8000-000000000001"],
  content: "The text of the episode",
  link_post: "https://studio.example.com/e/ep-1",
  link_rss: "https://studio.example.com/feeds/show.xml",
  error_message: "the upload failed",
  key: "episode-1",
  ok: true,
};

const keys: Readonly<Record<Needs, string>> = {
  open: "",
  viewer: "Authorization: Bearer $TOKEN",
  operator: "Authorization: Bearer $TOKEN",
  owner: "Authorization: Bearer $TOKEN",
  "content:read": "X-API-Key: $KEY",
  "content:write": "X-API-Key: $KEY",
  worker: "X-API-Key: $KEY",
};

/** A call for a shell, with no more in it than it takes. */
export function curlOf(prefix: string, route: ApiRoute): string {
  const { method, path, needs, body, file } = route;
  const address = prefix + path.replaceAll(/:(\w+)/g, (_, name: string) => (name === "type" ? "podcast" : `$${name.toUpperCase()}`));
  const lines = [
    `curl ${method === "GET" ? "" : `-X ${method} `}"$MANAGER${address}"`,
    keys[needs] && `  -H "${keys[needs]}"`,
    body && `  -H "Content-Type: application/json"`,
    body && `  -d '${JSON.stringify(exampleOf(jsonSchema(body, "input")))}'`,
    file === "sent" && `  -F file=@cover.jpg`,
    file === "answered" && `  -O`,
  ];
  return lines.filter(Boolean).join(" \\\n");
}

function exampleOf(schema: JsonSchema, name = ""): unknown {
  if (Object.hasOwn(byName, name)) return byName[name];
  if (schema.properties) {
    const { properties, required = [] } = schema;
    const needed = required.length > 0 ? required : Object.keys(properties).slice(0, 1);
    return Object.fromEntries(needed.map((field) => [field, exampleOf(properties[field] ?? {}, field)]));
  }
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return exampleOf(schema.anyOf[0] ?? {}, name);
  if (schema.type === "array") return [exampleOf(schema.items ?? {})];
  if (schema.type === "integer" || schema.type === "number") return schema.minimum ?? 1;
  return schema.type === "boolean" ? true : "…";
}
