import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import type { z } from "zod";
import { podopsRefusal, podopsRoutes, podopsScopes, type PodopsScope } from "../contract/podops-api.ts";
import { ApiRefusal, ApiUnanswered, callsOf, createAsk, known, type CallOptions, type Calls, type TokenSource } from "./api-client.ts";
import { baseOf } from "./api-exchange.ts";

/** Files and the admin key go by ways of their own. */
const { upload: uploadRoute, uploadPart: _parts, createToken: tokenRoute, ...calls } = podopsRoutes;

export interface PodopsClientOptions extends CallOptions {
  /** A token, or the studio's admin key, by which the client makes its own tokens. */
  key: { token: string } | { admin: string };
  /** With the admin key: for whom. Absent: the studio's first account. */
  subject?: string | undefined;
  /** With the admin key. Default: all. */
  scopes?: readonly PodopsScope[] | undefined;
}

export type Uploaded = z.output<typeof uploadRoute.answer>;

/** PodOps as functions; names and shapes are those of the studio's OpenAPI document. Each @throws ApiRefusal, ApiUnanswered. */
export interface PodopsClient extends Calls<typeof calls> {
  /**
   * Sends a file from this machine, which is read as it goes.
   * @param file its name at the studio is the path's last part, unless `name` is given
   */
  upload(production: string, file: { path: string; name?: string; type?: string }): Promise<Uploaded>;
}

const DAY_S = 86_400;
/** An upload has no bound but this. */
const UPLOAD_MS = 60 * 60_000;

/**
 * @example
 * const studio = createPodopsClient({ url, key: { admin: adminKey } });
 * const { productions } = await studio.listProductions();
 */
export function createPodopsClient(options: PodopsClientOptions): PodopsClient {
  const ask = createAsk(options);
  const session = sessionOf(options, async (admin) => {
    const body = {
      ...(options.subject !== undefined && { subject: options.subject }),
      scope: (options.scopes ?? podopsScopes).join(" "),
      expires_in: DAY_S,
    };
    return known(tokenRoute, await ask(tokenRoute, "", { body }, admin)).token;
  });
  const { url, fetch = globalThis.fetch } = options;

  async function send(production: string, form: FormData, token: string): Promise<unknown> {
    const address = `${baseOf(url)}${uploadRoute.path.replace(":prod", encodeURIComponent(production))}`;
    const signal = AbortSignal.timeout(Math.max(options.deadlineMs ?? 0, UPLOAD_MS));
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(address, { method: "POST", headers, body: form, redirect: "manual", signal }).catch((cause: Error) => {
      throw new ApiUnanswered("late", cause.message, { cause });
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    const { data } = podopsRefusal.safeParse(answer);
    throw new ApiRefusal(response.status, "", data?.message ?? `HTTP ${response.status}`, null, answer);
  }

  return {
    ...callsOf(ask, session, calls, ""),
    async upload(production, { path, name = basename(path), type = "" }) {
      const form = new FormData();
      form.set("asset", await openAsBlob(path, { type }), name);
      const token = await session.token();
      try {
        return known(uploadRoute, await send(production, form, token));
      } catch (error) {
        if (!(error instanceof ApiRefusal) || error.status !== 401) throw error;
        return known(uploadRoute, await send(production, form, await session.renew(token)));
      }
    },
  };
}

/** All that the studio found wrong at once; none where it said nothing more than its message. */
export function problemsOf(refusal: ApiRefusal): { path: string; message: string }[] {
  return podopsRefusal.safeParse(refusal.answer).data?.errors ?? [];
}

/** A token that was given is never renewed: whoever refused it means it. */
function sessionOf({ key }: PodopsClientOptions, make: (admin: string) => Promise<string>): TokenSource {
  if ("token" in key) return { token: async () => key.token, renew: async () => key.token };
  let current: Promise<string> | null = null;
  const begin = async (): Promise<string> => {
    const mine = make(key.admin);
    current = mine;
    try {
      return await mine;
    } catch (error) {
      if (current === mine) current = null;
      throw error;
    }
  };
  return {
    token: async () => current ?? begin(),
    // Whoever comes first renews it for all.
    renew: async (refused) => (current && (await current) !== refused ? current : begin()),
  };
}
