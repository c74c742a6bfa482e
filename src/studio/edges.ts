/**
 * Rough edges that real studios have, switched on for tests and rehearsals. The object is live: a change counts from the
 * next request on.
 */
export interface Edges {
  /** A "What's new" pop-up over the page, ~300 ms after it has loaded, until it is closed once in the session. */
  whatsNew: boolean;
  /**
   * A CSS selector: the pop-up opens as soon as such a field has the focus, once on each page, also before the sign-in; what is typed
   * at that moment goes to it. "": never.
   */
  popUpAt: string;
  /** How long an upload is "processed" at least, ms. */
  processingMs: number;
  /** A newly published episode shows in the list and the feed only after this, ms. */
  listingLagMs: number;
  /** The session ends after so many requests; 0: never. */
  sessionExpiresAfterRequests: number;
  /** A page that asks for a human: after signing in, or when an episode is to be published. */
  challenge: "off" | "sign-in" | "publish";
  /** The Publish button is called this instead, e.g. "Release"; "": as ever. */
  changedLabel: string;
  /** So many wrong tries in a row lock the account. */
  lockAfter: number;
  /** For so long, ms. */
  lockMs: number;
  /**
   * What kind of studio it is. drafts: saved first, published by id, harmless to repeat. list: one request creates and publishes,
   * each makes another episode, and the list behind the sign-in shows them. blind: the same, and nothing lists them; the public
   * page's address stands in the answer only.
   */
  tier: "drafts" | "list" | "blind";
  /** The audio file's own name is kept and shown; without it nothing on the site says which upload an episode came from. */
  marker: boolean;
  /** Told of each publish request and each confirmed import: it has come in; what it asked for is done and on disk, and the answer not yet on its way. */
  onPublish: (moment: "arrived" | "handled") => void;
}

export const smoothEdges: Readonly<Edges> = {
  whatsNew: false,
  popUpAt: "",
  processingMs: 300,
  listingLagMs: 0,
  sessionExpiresAfterRequests: 0,
  challenge: "off",
  changedLabel: "",
  lockAfter: 5,
  lockMs: 15 * 60_000,
  tier: "drafts",
  marker: true,
  onPublish: () => undefined,
};
