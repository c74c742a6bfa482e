import type { Kind } from "../../contract/podops-resource.ts";
import { guidPattern } from "../ids.ts";
import { guidOf } from "./find.ts";
import type { Problem } from "./problems.ts";

/** What the address and the body of a call say of a resource together. */
export interface Addressed {
  /** null: a new one is made. */
  guid: string | null;
  /** null: it has none but its GUID. */
  name: string | null;
}

interface Said {
  guid?: string | undefined;
  name?: string | undefined;
}

/** @param id of the address: a GUID or a name @param problems where the two do not agree, it is said here */
export function addressed(id: string, kind: Kind, { guid, name }: Said, problems: Problem[]): Addressed {
  if (guidOf(id) !== null) {
    const asked = guidOf(id);
    // The name under which it is shown until it has one of its own.
    if (name !== undefined && name !== asked && guidOf(name) === asked) return { guid: asked, name: null };
    if (guid !== undefined && guid !== asked) problems.push({ path: "metadata.guid", message: `is not the address's (${asked})` });
    return { guid: asked, name: name ?? null };
  }
  const rule = kind === "asset" ? /^(?!\.)[A-Za-z0-9._-]{1,100}$/ : /^[a-z0-9_-]{8,44}$/;
  if (!rule.test(id)) problems.push({ path: "id", message: "is neither 12 hexadecimal digits nor a name: 8 to 44 of a-z, 0-9, - and _" });
  if (name !== undefined && name !== id) problems.push({ path: "metadata.name", message: `is not the address's (${id})` });
  return { guid: guid ?? null, name: id };
}

/** A name that could be taken for a GUID would hide what has that GUID. */
export function checkName(name: string | null, problems: Problem[], path = "metadata.name"): void {
  if (name !== null && (guidPattern.test(name) || guidOf(name) !== null))
    problems.push({ path, message: "looks like a GUID; choose another name" });
}
