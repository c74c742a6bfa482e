import type { ApiRoute } from "../../../src/contract/api-route.ts";
import { jsonSchema, type JsonSchema } from "../../../src/kit/api/json-schema.ts";

/** What a line is about. */
export interface Fields {
  body: string[];
  query: string[];
  answer: string[];
  codes: string[];
}

const parts = { "?": "query", "→": "answer", "!": "codes" } as const;

/** @param text as `Line` has it */
export function readFields(text: string): Fields {
  const fields: Fields = { body: [], query: [], answer: [], codes: [] };
  let part: keyof Fields = "body";
  for (const word of text.split(" ").filter(Boolean))
    if (Object.hasOwn(parts, word)) part = parts[word as keyof typeof parts];
    else fields[part].push(word);
  return fields;
}

/** Every field that a route takes or gives, with its default behind it, as `Line` writes them. */
export function fieldsOf({ query, body, answer, file, otherwise = {} }: ApiRoute<string>): Omit<Fields, "codes"> {
  const defaults: Record<string, unknown> = query?.parse({}) ?? {};
  const withDefault = (name: string): string => (isSaid(defaults[name]) ? `${name}=${String(defaults[name])}` : name);
  const shapes = file === "answered" ? [] : [answer, ...Object.values(otherwise).map((other) => other.answer)];
  const answered = [...new Set(shapes.flatMap((shape) => leavesOf(jsonSchema(shape, "output"))))];
  return {
    query: Object.keys(query?.shape ?? {}).map(withDefault),
    body: body ? leavesOf(jsonSchema(body, "input")) : [],
    answer: answered.map((name) => (answered.includes("success") ? name.replace(/^data\./, "") : name)),
  };
}

const isSaid = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

/** The names of what is no object with names of its own. */
function leavesOf(schema: JsonSchema): string[] {
  const found = [...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])].flatMap(leavesOf);
  for (const [name, of] of Object.entries(schema.properties ?? {})) {
    const below = leavesOf(of);
    if (below.length > 0) found.push(...below.map((leaf) => `${name}.${leaf}`));
    else found.push(isSaid(of.default) && !isEmptyObject(of.default) ? `${name}=${defaultOf(of.default)}` : name);
  }
  return [...new Set(found)];
}

const isEmptyObject = (value: unknown): boolean => JSON.stringify(value) === "{}";
const defaultOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** @param pattern a field, or "group.*" */
export function fits(pattern: string, field: string): boolean {
  return pattern === field || (pattern.endsWith(".*") && field.startsWith(pattern.slice(0, -1)));
}
