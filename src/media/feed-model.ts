export interface FeedShow {
  title: string;
  /** Plain text or light HTML. */
  description: string;
  /** The show's page, absolute. */
  link: string;
  /** BCP 47, e.g. "vi" or "en". */
  language: string;
  author: string;
  /** Absent: the author. */
  ownerName?: string;
  /** Directories mail this address to prove who owns the feed; null keeps it out (readers harvest it). */
  ownerEmail: string | null;
  /** Absolute; square JPEG or PNG of 1400-3000 px. null while there is none: directories want one. */
  imageUrl: string | null;
  /** From Apple's list, e.g. {name: "Technology"} or {name: "Society & Culture", sub: "Documentary"}; at least one. */
  categories: readonly FeedCategory[];
  explicit: boolean;
  /** Other hosts are asked not to import the feed. */
  locked: boolean;
  copyright?: string;
  /** "episodic" (newest first, the default) or "serial". */
  type?: "episodic" | "serial";
  /** Directories are asked not to list the show. */
  hidden?: boolean;
  /** No episode will follow. */
  complete?: boolean;
  /** Where the feed has moved to, absolute. */
  newFeedUrl?: string;
  /** UUID; absent: derived from the feed's address. Give the first one again once the address has moved, it must never change. */
  podcastGuid?: string;
}

export interface FeedCategory {
  name: string;
  sub?: string;
}

export interface FeedEpisode {
  /** Unique in the show and never changed; players take a new one for a new episode. */
  guid: string;
  title: string;
  /** The episode's page, absolute. */
  link: string;
  /** Sanitised HTML, as shown by players. */
  html: string;
  /** The same as plain text. */
  text: string;
  publishedAt: Date;
  enclosure: { url: string; bytes: number; mime: string };
  /** null or 0: nobody knows. */
  seconds: number | null;
  /** Absolute; null: the show's. */
  imageUrl: string | null;
  /** Absent: the show's. */
  explicit?: boolean;
  /** A machine read the text: said in the feed (`podcast:txt purpose="ai-content"`). */
  narrated: boolean;
  /** Absent: "full". */
  kind?: "full" | "trailer" | "bonus";
  /** Directories are asked not to list it. */
  hidden?: boolean;
  season?: number;
  episode?: number;
  transcripts?: readonly { url: string; mime: string; language?: string }[];
}

/**
 * Where a document stands in a feed of several (RFC 5005): the current one has the newest episodes, each archive older ones.
 * Addresses are absolute.
 */
export interface FeedPaging {
  /** This document is no current one: what it holds will not grow. */
  archive: boolean;
  current: string;
  /** The archive with the next older episodes; null: there is none. */
  older: string | null;
  /** The next newer archive; null: the current document comes next. */
  newer: string | null;
  /** The archive with the first episodes of all. */
  oldest: string;
}

export interface FeedInput {
  show: FeedShow;
  /** Any order; the feed is newest first. Leave out what is not published yet. */
  episodes: readonly FeedEpisode[];
  /** The document's own address. */
  feedUrl: string;
  /** Named in the feed, e.g. "Podcrew 0.1.0". */
  generator: string;
  /** Absent: the newest episode's date, so that the same input gives the same bytes (and the same ETag). */
  builtAt?: Date;
  /** Absent: the feed is one document. */
  paging?: FeedPaging;
}
