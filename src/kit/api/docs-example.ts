import type { ApiRoute } from "../../contract/api-route.ts";
import type { ApiBook } from "./book.ts";
import { jsonSchema, type JsonSchema } from "./json-schema.ts";

/** A call for a shell, with no more in it than it takes. */
export function curlOf({ permissions, variable, examples }: ApiBook, prefix: string, route: ApiRoute<string>): string {
  const { method, path, needs, body, file, fileField = "file", words } = route;
  const address = prefix + path.replaceAll(/:(\w+)/g, (_, name: string) => exampleWord(name, words?.[name]));
  const header = permissions[needs]?.header;
  const lines = [
    `curl ${method === "GET" ? "" : `-X ${method} `}"$${variable}${address}"`,
    header && `  -H "${header}"`,
    body && `  -H "Content-Type: application/json"`,
    body && `  -d '${JSON.stringify(exampleOf(jsonSchema(body, "input"), examples))}'`,
    file === "sent" && `  -F ${fileField}=@cover.jpg`,
    file === "raw" && `  --data-binary @tea.mp3`,
    file === "answered" && `  -O`,
  ];
  return lines.filter(Boolean).join(" \\\n");
}

const exampleWord = (name: string, words: readonly string[] = []): string =>
  words.includes("podcast") ? "podcast" : (words[0] ?? `$${name.toUpperCase()}`);

function exampleOf(schema: JsonSchema, examples: ApiBook["examples"], name = ""): unknown {
  if (Object.hasOwn(examples, name)) return examples[name];
  if (schema.properties) {
    const { properties, required = [] } = schema;
    const needed = required.length > 0 ? required : Object.keys(properties).slice(0, 1);
    return Object.fromEntries(needed.map((field) => [field, exampleOf(properties[field] ?? {}, examples, field)]));
  }
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return exampleOf(schema.anyOf[0] ?? {}, examples, name);
  if (schema.type === "array") return [exampleOf(schema.items ?? {}, examples)];
  if (schema.type === "integer" || schema.type === "number") return schema.minimum ?? 1;
  return schema.type === "boolean" ? true : "…";
}
