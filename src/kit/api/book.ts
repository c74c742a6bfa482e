import type { ApiRoutes } from "../../contract/api-route.ts";
import type { JsonSchema } from "./json-schema.ts";

/** The routes of one API, with the address in front of them. */
export interface ApiSection<Need extends string = string> {
  title: string;
  about: string;
  prefix: string;
  routes: ApiRoutes<Need>;
}

/** Who may call. */
export interface Permission {
  /** "Operators and owners." */
  who: string;
  /** The header that shows it, as a shell writes it: "Authorization: Bearer $TOKEN"; "" for anybody. */
  header: string;
  /** Of OpenAPI: the schemes that do, each enough by itself. */
  security: readonly Readonly<Record<string, readonly string[]>>[];
}

/** All that is said of what a listener answers: the OpenAPI document and the page for readers are made of it. */
export interface ApiBook<Need extends string = string> {
  title: string;
  about: string;
  sections: readonly ApiSection<Need>[];
  permissions: Readonly<Record<Need, Permission>>;
  /** Of OpenAPI. */
  securitySchemes: Readonly<Record<string, object>>;
  /** The envelope of a refusal, and its values by code; `says` is HTML. */
  refusals: { says: string; schema: JsonSchema; rows: readonly { code: string; status: number; say: string }[] };
  /** HTML: how to begin. */
  begin: string;
  /** Of a shell: where the listener is, "MANAGER". */
  variable: string;
  /** What stands in examples, by a field's name; of any other its type says enough. */
  examples: Readonly<Record<string, unknown>>;
  /** Of a parameter of the path; absent: any text. */
  parameter?: (name: string) => JsonSchema;
}
