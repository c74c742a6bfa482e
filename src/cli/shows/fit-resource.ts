import type { z } from "zod";

/** What a resource is nothing without. */
const needed: ReadonlySet<string> = new Set(["metadata.name", "description.title", "description.summary", "enclosure.uri"]);

/**
 * Other hosts write what no studio takes (a language that is none, an owner without an address). A resource without that is better
 * than none: it is left out, and named.
 * @returns `left`: the fields that were left out, such as "description.owner"; `problem`: why it can't be one, "" otherwise
 */
export function fitResource<Resource extends object>(
  schema: z.ZodType,
  given: Resource,
): { resource: Resource; left: string[]; problem: string } {
  const resource = structuredClone(given);
  const left = new Set<string>();
  for (;;) {
    const parsed = schema.safeParse(resource);
    if (parsed.success) return { resource, left: [...left], problem: "" };
    const wrong = parsed.error.issues.map(({ path, message }) => ({ field: fieldOf(path), message }));
    const fatal = wrong.find(({ field }) => needed.has(field) || left.has(field));
    if (fatal) return { resource, left: [...left], problem: `${fatal.field} ${fatal.message}` };
    for (const { field } of wrong) {
      left.add(field);
      remove(resource, field.split("."));
    }
  }
}

/** The part that can be left out: a label, a text, the picture as a whole. */
function fieldOf(path: readonly PropertyKey[]): string {
  const depth = path[0] === "image" ? 1 : path[1] === "labels" ? 3 : 2;
  return path.slice(0, depth).map(String).join(".");
}

function remove(from: object, [name = "", ...below]: readonly string[]): void {
  const fields = from as Record<string, unknown>;
  if (below.length === 0) delete fields[name];
  else if (typeof fields[name] === "object" && fields[name] !== null) remove(fields[name], below);
}
