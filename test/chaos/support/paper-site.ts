import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { SitePublish } from "../../../src/cli/chaos/verdict.ts";
import { tiers, type Tier } from "./paper-protocol.ts";

/** What goes wrong with a publish request: shares of all, and times in ms. */
export interface SiteFaults {
  /** It is handled up to so late, also when whoever asked is gone. */
  delayMs: number;
  /** Handled, and the socket is cut before the answer. */
  dropReply: number;
  /** Cut before it is handled. */
  reset: number;
  /** New entries show in the listing so late. */
  lagMs: number;
}

/** One request that came in, whatever it was. */
export interface SiteVisit {
  at: number;
  pid: number;
  task: string;
  /** e.g. "POST publish" */
  what: string;
  episode: string;
}

interface Entry {
  id: string;
  tier: Tier;
  account: string;
  marker: string;
  /** null: a draft. */
  publishedAt: number | null;
}

interface Asked {
  tier: Tier;
  account: string;
  marker: string;
  draftId: string;
}

const calm: SiteFaults = { delayMs: 200, dropReply: 0, reset: 0, lagMs: 0 };

/**
 * A small site in the place of all sites: accounts with entries, in three tiers by path. `drafts`: publishing the same draft
 * twice is harmless. `list`: each publish makes a new entry, and the listing shows it. `blind`: it can't be asked. What it
 * handled stands in `publishes`, which only grows, and decides.
 */
export class PaperSite {
  readonly publishes: SitePublish[] = [];
  readonly visits: SiteVisit[] = [];
  faults: SiteFaults;
  /** Called at each request, before it is handled; a promise holds it back. */
  onVisit: (visit: SiteVisit) => void | Promise<void> = () => undefined;
  readonly #random: () => number;
  readonly #entries: Entry[] = [];
  readonly #byMarker = new Map<string, Entry[]>();
  readonly #server: Server;

  constructor(faults: Partial<SiteFaults> = {}, random: () => number = Math.random) {
    this.faults = { ...calm, ...faults };
    this.#random = random;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Address of a tier; a worker's `origin`. */
  origin(tier: Tier): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${tier}`;
  }

  /** Public links of an episode's copies. */
  linksOf(marker: string): string[] {
    return this.#published(marker).map((entry) => this.#linkOf(entry));
  }

  get drafts(): number {
    return this.#entries.filter((entry) => entry.publishedAt === null).length;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request);
      const url = new URL(request.url ?? "/", "http://site");
      const [, tier = "", path = ""] = url.pathname.split("/");
      if (!tiers.includes(tier as Tier)) return answer(response, 404, {});
      const header = (name: string): string => String(request.headers[name] ?? "");
      const asked: Asked = {
        tier: tier as Tier,
        account: header("x-account"),
        marker: header("x-marker"),
        draftId: url.searchParams.get("draft") ?? "",
      };
      const visit: SiteVisit = {
        at: Date.now(),
        pid: Number(header("x-pid")),
        task: header("x-task"),
        what: `${request.method} ${path}`,
        episode: asked.marker,
      };
      this.visits.push(visit);
      await this.onVisit(visit);
      const handle = this.#routes[visit.what];
      if (handle) await handle(asked, request, response, body);
      else answer(response, 404, {});
    } catch {
      // The client went away while it was sending: nothing was asked.
      response.destroy();
    }
  }

  readonly #routes: Readonly<
    Record<string, (asked: Asked, request: IncomingMessage, response: ServerResponse, body: Buffer) => void | Promise<void>>
  > = {
    "GET me": ({ account }, _request, response) => answer(response, 200, { account }),
    "POST sign-in": ({ account }, _request, response) => answer(response, 200, { session: `session of ${account}` }),
    "POST checkpoint": (_asked, _request, response) => answer(response, 200, {}),
    "GET feed": ({ tier, account }, _request, response) =>
      answer(response, 200, { link: `${this.origin(tier)}/${encodeURIComponent(account)}/feed.xml` }),
    "GET copies": ({ tier, marker }, _request, response) => {
      const shown = tier === "blind" ? [] : this.#published(marker).filter((entry) => this.#isShown(entry));
      answer(response, 200, { copies: shown.map((entry) => ({ id: entry.id, link: this.#linkOf(entry) })) });
    },
    "GET list": ({ tier, account }, _request, response) => {
      const shown = this.#entries.filter((entry) => entry.tier === tier && entry.account === account && this.#isShown(entry));
      answer(response, 200, {
        entries: tier === "blind" ? [] : shown.map((entry) => ({ id: entry.id, title: entry.marker, link: this.#linkOf(entry) })),
      });
    },
    "POST draft": ({ tier, account, marker, draftId }, _request, response, body) => {
      if (body.length === 0) return answer(response, 400, { message: "the audio is missing" });
      if (tier !== "drafts") return answer(response, 200, { id: null });
      const known = this.#entries.find((entry) => entry.id === draftId && entry.marker === marker);
      answer(response, 200, { id: (known ?? this.#add({ tier, account, marker })).id });
    },
    "POST discard": ({ draftId }, _request, response) => {
      const at = this.#entries.findIndex((entry) => entry.id === draftId && entry.publishedAt === null);
      if (at >= 0) this.#entries.splice(at, 1);
      answer(response, 200, {});
    },
    "POST publish": async (asked, request, response) => this.#publish(asked, request, response),
  };

  async #publish(asked: Asked, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { delayMs, dropReply, reset } = this.faults;
    const fate = this.#random();
    if (fate < reset) return void request.socket.destroy();
    await delay(this.#random() * delayMs);
    const entry = this.#flip(asked);
    if (!entry) return answer(response, 404, { message: "there is no such draft" });
    if (fate < reset + dropReply) return void request.socket.destroy();
    answer(response, 201, { id: entry.id, link: this.#linkOf(entry) });
  }

  /** What the site does, whoever still listens. */
  #flip({ tier, account, marker, draftId }: Asked): Entry | null {
    const draft = tier === "drafts" ? this.#entries.find((entry) => entry.id === draftId) : this.#add({ tier, account, marker });
    if (!draft) return null;
    const made = draft.publishedAt === null;
    draft.publishedAt ??= Date.now();
    this.publishes.push({ episode: marker, made, at: Date.now() });
    return draft;
  }

  #add(of: Pick<Entry, "tier" | "account" | "marker">): Entry {
    const entry: Entry = { ...of, id: `${of.tier}-${++this.#made}`, publishedAt: null };
    this.#entries.push(entry);
    this.#byMarker.set(of.marker, [...(this.#byMarker.get(of.marker) ?? []), entry]);
    return entry;
  }
  #made = 0;

  #published(marker: string): Entry[] {
    return (this.#byMarker.get(marker) ?? []).filter((entry) => entry.publishedAt !== null);
  }

  #isShown({ publishedAt }: Entry): boolean {
    return publishedAt !== null && Date.now() - publishedAt >= this.faults.lagMs;
  }

  #linkOf({ tier, id }: Entry): string {
    return `${this.origin(tier)}/e/${id}`;
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
