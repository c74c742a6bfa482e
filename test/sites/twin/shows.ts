import { randomBytes, randomUUID } from "node:crypto";
import type { Upload } from "./uploads.ts";

export interface Show {
  id: string;
  title: string;
  owner: string;
  /** Put into the feed where the owner wants it. */
  feedEmail: string;
}

export interface Episode {
  id: string;
  showId: string;
  title: string;
  /** HTML, as the editor gave it. */
  about: string;
  audio: Upload | null;
  cover: Upload | null;
  state: "draft" | "published";
  /** ms; 0 while it is a draft. */
  publishedAt: number;
}

/** A publish request that was handled: it made something public, or said again what was public already. */
export interface HistoryEntry {
  at: number;
  episodeId: string;
  title: string;
  outcome: "published" | "repeat";
}

/** Shows and episodes of a twin, in memory, and the history of what was published: lines are added, never taken away. */
export class Shows {
  readonly #shows: Show[] = [];
  readonly #episodes: Episode[] = [];
  readonly #history: HistoryEntry[] = [];

  addShow(owner: string, title: string): Show {
    const show = { id: randomUUID(), title, owner, feedEmail: "" };
    this.#shows.push(show);
    return show;
  }

  ofOwner(owner: string): Show[] {
    return this.#shows.filter((show) => show.owner === owner);
  }

  show(id: string): Show | null {
    return this.#shows.find((show) => show.id === id) ?? null;
  }

  /** Newest first. */
  episodes(showId: string, state: Episode["state"]): Episode[] {
    return this.#episodes.filter((episode) => episode.showId === showId && episode.state === state).toReversed();
  }

  episode(id: string): Episode | null {
    return this.#episodes.find((episode) => episode.id === id) ?? null;
  }

  create(showId: string, fields: Pick<Episode, "title" | "about" | "audio" | "cover">): Episode {
    const episode: Episode = { id: randomBytes(8).toString("hex"), showId, ...fields, state: "draft", publishedAt: 0 };
    this.#episodes.push(episode);
    return episode;
  }

  remove(episode: Episode): void {
    const at = this.#episodes.indexOf(episode);
    if (at >= 0) this.#episodes.splice(at, 1);
  }

  /** One way: a published episode does not become a draft again. */
  publish(episode: Episode): HistoryEntry["outcome"] {
    const outcome = episode.state === "published" ? "repeat" : "published";
    if (outcome === "published") {
      episode.state = "published";
      episode.publishedAt = Date.now();
    }
    this.#history.push({ at: Date.now(), episodeId: episode.id, title: episode.title, outcome });
    return outcome;
  }

  /** A copy: nobody outside can change what happened. */
  history(): HistoryEntry[] {
    return structuredClone(this.#history);
  }
}
