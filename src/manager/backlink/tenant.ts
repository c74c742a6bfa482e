import type { Who } from "../api/serve.ts";
import { ApiError } from "../errors.ts";

/** A person, whose rows are those of `tenant`. */
export type Owned = Who & { tenant: string };

/** @throws ApiError not_allowed for a program's key that belongs to nobody */
export function owned(who: Who): Owned {
  const { tenant } = who;
  if (tenant === null) throw new ApiError("not_allowed", "it takes a person");
  return { ...who, tenant };
}

/** What is another owner's is as absent as what nobody has. */
export const notFound = (): ApiError => new ApiError("not_found");
