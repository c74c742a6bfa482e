import type { DriverCard, SiteCopy, SiteEntry } from "../../src/contract/task.ts";
import type { Dice } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** An entry of the site. Nothing is ever taken out of the list; `gone` says that it is not shown any more. */
export interface Post {
  id: string;
  link: string;
  marker: string;
  title: string;
  account: string;
  /** Which episode it is; "" when a stranger made it. */
  episode: string;
  at: number;
  /** From when on the listing shows it. */
  listedAt: number;
  gone: boolean;
}

/** A publish request as it left a farm's machine. */
export interface WireRequest {
  account: string;
  episode: string;
  marker: string;
  title: string;
  fence: number;
  farm: string;
  /** Drafts tier: which draft it publishes. */
  draftId: string | null;
}

export interface Sent extends WireRequest {
  at: number;
  /** null: it never arrived, or has not yet. */
  handledAt: number | null;
  /** It made a copy that was not there before. */
  made: boolean;
}

/** What becomes of a publish request. Times are from its writing, ms. */
export interface Fate {
  /** null: it never arrives. */
  handledMs: number | null;
  /** Is the episode published by it? */
  publishes: boolean;
  /** null: no answer reaches the sender. */
  answerMs: number | null;
  httpStatus: number;
  message: string;
}

interface Draft {
  id: string;
  account: string;
  title: string;
  post: Post | null;
  gone: boolean;
}

export interface SiteOptions {
  timeline: Timeline;
  dice: Dice;
  tier: DriverCard["tier"];
  /** The listing is behind by up to so much, ms. */
  lagMs: number;
  onHandled(request: Sent, post: Post): void;
}

/** The site: what it was asked, and what it shows. Its history, not a farm's word, decides the verdict. */
export class SimulatedSite {
  readonly #o: SiteOptions;
  readonly posts: Post[] = [];
  readonly sent: Sent[] = [];
  readonly #drafts = new Map<string, Draft>();
  #ids = 0;
  /** Requests on their way. */
  inFlight = 0;

  constructor(options: SiteOptions) {
    this.#o = options;
  }

  /** Entries with this mark, as the listing shows them at this moment. */
  find(account: string, marker: string): SiteCopy[] {
    if (this.#o.tier === "blind") return [];
    return this.#listed(account)
      .filter((post) => post.marker === marker)
      .map(({ link, id }) => ({ link, id }));
  }

  list(account: string): SiteEntry[] {
    return this.#listed(account).map(({ id, title, link }) => ({ id, title, link }));
  }

  /** @returns the draft's id; the given one where it is still there */
  draft(account: string, title: string, draftId: string | null): string {
    const known = draftId === null ? undefined : this.#drafts.get(draftId);
    if (known && !known.gone) return known.id;
    const draft: Draft = { id: this.#newId(), account, title, post: null, gone: false };
    this.#drafts.set(draft.id, draft);
    return draft.id;
  }

  /** Takes a draft away, and with it what it has become: a site does as it is told. */
  discard(draftId: string): void {
    const draft = this.#drafts.get(draftId);
    if (!draft) return;
    draft.gone = true;
    if (draft.post) draft.post.gone = true;
  }

  /** Somebody else's entry of the same title on the same account. */
  addTwin(account: string, title: string, marker: string): Post {
    return this.#add({ account, title, marker, episode: "" }, this.#newId());
  }

  /** A request leaves for the site. What becomes of it, becomes of it whether its sender lives or not. */
  receive(request: WireRequest, fate: Fate): void {
    const { timeline } = this.#o;
    const sent: Sent = { ...request, at: timeline.now, handledAt: null, made: false };
    this.sent.push(sent);
    if (fate.handledMs === null) return;
    this.inFlight += 1;
    timeline.after(fate.handledMs, () => {
      this.inFlight -= 1;
      sent.handledAt = timeline.now;
      if (fate.publishes) this.#publish(sent);
    });
  }

  /** What the answer to a request shows: the entry that it is about. */
  shown(request: WireRequest): SiteCopy | null {
    const post = request.draftId
      ? this.#drafts.get(request.draftId)?.post
      : this.posts.findLast((one) => one.account === request.account && one.episode === request.episode);
    return post ? { link: post.link, id: post.id } : null;
  }

  #publish(sent: Sent): void {
    const draft = sent.draftId === null ? null : this.#drafts.get(sent.draftId);
    if (draft && (draft.post || draft.gone)) return;
    const post = this.#add(sent, draft?.id ?? this.#newId());
    if (draft) draft.post = post;
    sent.made = true;
    this.#o.onHandled(sent, post);
  }

  #add({ account, title, marker, episode }: Pick<Post, "account" | "title" | "marker" | "episode">, id: string): Post {
    const at = this.#o.timeline.now;
    const lagMs = this.#o.lagMs === 0 ? 0 : this.#o.dice.between(0, this.#o.lagMs);
    const post: Post = { id, link: `https://site.example/e/${id}`, account, title, marker, episode, at, listedAt: at + lagMs, gone: false };
    this.posts.push(post);
    return post;
  }

  #listed(account: string): Post[] {
    return this.posts.filter((post) => post.account === account && !post.gone && post.listedAt <= this.#o.timeline.now);
  }

  #newId(): string {
    this.#ids += 1;
    return `p${this.#ids}`;
  }
}
