import type { Kysely } from "kysely";

/** What a backend has to bring. */
export interface Backend {
  readonly name: "pglite" | "postgres";
  readonly db: Kysely<unknown>;
  flush(): Promise<void>;
  raw(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
  close(): Promise<void>;
}
