import type { z } from "zod";
import type { ApiRoute } from "../../contract/api-route.ts";
import { jsonSchema, type JsonSchema } from "./json-schema.ts";

/** A line of a table of fields. */
export interface FieldRow {
  /** "data[].credits.held" */
  name: string;
  type: string;
  note: string;
  required: boolean;
}

/** More than this says only that there is an end. */
const WORTH_SAYING = 50_000;

export function bodyRows({ body }: ApiRoute<string>): FieldRow[][] {
  return body ? shapesOf(jsonSchema(body, "input")).map((shape) => rowsOf(shape)) : [];
}

/** One list for each shape that an answer may have. */
export function answerRows({ answer }: ApiRoute<string>): FieldRow[][] {
  return rowsOfAnswer(answer);
}

export function rowsOfAnswer(answer: z.ZodType): FieldRow[][] {
  return shapesOf(jsonSchema(answer, "output")).map((shape) => rowsOf(shape));
}

/** All of a query is text on its way; what it is read as says its default. */
export function queryRows({ query }: ApiRoute<string>): FieldRow[] {
  const defaults: Record<string, unknown> = query?.parse({}) ?? {};
  return rowsOf(query ? jsonSchema(query, "input") : {}).map((row) => {
    const otherwise = defaults[row.name];
    const words = row.note.includes(" | ");
    const type = words ? row.note.replace(/;.*/, "") : typeof otherwise === "number" ? "number" : "text";
    const said = [words ? "" : row.note.replace(/;? ?default ""/, ""), isBlank(otherwise) ? "" : `default ${String(otherwise)}`];
    return { ...row, type, note: said.filter(Boolean).join("; ") };
  });
}

const isBlank = (value: unknown): boolean => value === undefined || value === null || value === "";

/** The objects that a schema may be. */
function shapesOf(schema: JsonSchema): JsonSchema[] {
  if (schema.properties) return [schema];
  return (schema.anyOf ?? []).flatMap(shapesOf);
}

function rowsOf({ properties = {}, required = [] }: JsonSchema, before = ""): FieldRow[] {
  return Object.entries(properties).flatMap(([field, schema]) => {
    const name = before + field;
    const row = { name, type: typeOf(schema), note: noteOf(schema), required: required.includes(field) };
    const items = [schema, ...(schema.anyOf ?? [])].find((one) => one.items)?.items;
    const below = shapesOf(items ?? schema).flatMap((shape) => rowsOf(shape, `${name}${items ? "[]" : ""}.`));
    // Of several shapes each field once, as the first that has it says.
    return [row, ...below.filter((one, at) => below.findIndex((other) => other.name === one.name) === at)];
  });
}

function noteOf(schema: JsonSchema): string {
  const { minimum, exclusiveMinimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
  const range = (least: number | undefined, most: number | undefined, unit: string): string => {
    const end = most !== undefined && most <= WORTH_SAYING ? most : undefined;
    if (end === undefined && unit === " characters" && least === 1) return "not empty";
    if (end !== undefined) return `${least ? `${least} to` : "up to"} ${end}${unit}`;
    return least !== undefined && least > 0 ? `at least ${least}${unit}` : "";
  };
  const said = [
    schema.description,
    maximum === undefined && minimum === undefined ? "" : range(minimum ?? (exclusiveMinimum ?? -1) + 1, maximum, ""),
    range(minLength, maxLength, " characters"),
    range(minItems, maxItems, " entries"),
    isBlank(schema.default) || typeof schema.default === "object" ? "" : `default ${JSON.stringify(schema.default)}`,
  ];
  return said.filter(Boolean).join("; ");
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(String).join(" | ");
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(" | ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`.replace(/object$/, "objects").replace(" of anything", "");
  if (schema.type === "string") return schema.format === "uuid" ? "UUID" : schema.format === "date-time" ? "time" : "text";
  const types = [schema.type].flat().filter((type) => type !== undefined);
  return types.map((type) => (type === "string" ? "text" : type)).join(" | ") || "anything";
}
