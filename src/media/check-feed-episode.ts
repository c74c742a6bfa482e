import {
  attributeOf,
  children,
  explicitWord,
  isWebAddress,
  oneOf,
  quoted,
  readMailDate,
  said,
  textOf,
  tooLong,
  type FeedRule,
} from "./check-feed-rules.ts";

const DESCRIPTION_MAX = 4000;
const transcriptTypes: ReadonlySet<string> = new Set([
  "text/plain",
  "text/html",
  "text/vtt",
  "application/json",
  "application/x-subrip",
  "application/srt",
  "text/srt",
]);

/** What each episode has to say, but of its recording. */
export const episodeRules: readonly FeedRule[] = [
  {
    code: "episode.title.missing",
    level: "error",
    asks: "Apple",
    fix: "Give the item a <title>.",
    broken: ({ element }) => (textOf(element, "title") || textOf(element, "itunes:title") ? null : "The episode has no title."),
  },
  {
    code: "episode.guid.missing",
    level: "error",
    asks: "Apple",
    fix: "Give the item a <guid> that never changes.",
    broken: ({ element }) => (textOf(element, "guid") ? null : "The episode has no guid, so apps can't tell it from others."),
  },
  {
    code: "episode.guid.shared",
    level: "error",
    asks: "RSS",
    fix: "Give each item a guid of its own.",
    broken({ element, guids }) {
      const guid = textOf(element, "guid");
      return guid !== "" && (guids.get(guid) ?? 0) > 1 ? `Several episodes have the guid ${quoted(guid)}; apps show one of them.` : null;
    },
  },
  {
    code: "episode.guid.link",
    level: "warning",
    asks: "RSS",
    fix: 'Write <guid isPermaLink="false"> where the guid is no address.',
    broken({ element }) {
      const guid = textOf(element, "guid");
      const isLink = !/^false$/i.test(attributeOf(element, "guid", "isPermaLink"));
      return guid === "" || !isLink || isWebAddress(guid) ? null : `The guid ${quoted(guid)} is said to be an address, and is none.`;
    },
  },
  {
    code: "episode.date",
    level: "error",
    asks: "Apple",
    fix: 'Give the item a <pubDate> as mails have it: "Fri, 20 Nov 2026 08:00:00 GMT".',
    broken({ element }) {
      const date = textOf(element, "pubDate");
      if (date === "") return "The episode has no date.";
      return readMailDate(date) === null ? `The episode's date is none that RSS knows: ${quoted(date)}` : null;
    },
  },
  {
    code: "episode.date.future",
    level: "hint",
    asks: "Apple",
    fix: "Publish the episode at its time: some apps show it at once, some hide it.",
    broken({ element, now }) {
      const at = readMailDate(textOf(element, "pubDate"));
      return at !== null && at > now ? "The episode's date is still to come." : null;
    },
  },
  {
    code: "episode.description.missing",
    level: "warning",
    asks: "Apple",
    fix: "Give the item a <description>, or <content:encoded> with light HTML.",
    broken: ({ element }) =>
      ["description", "content:encoded", "itunes:summary"].some((name) => textOf(element, name)) ? null : "The episode has no description.",
  },
  {
    code: "episode.description.long",
    level: "hint",
    asks: "Apple",
    fix: `Apple shows ${DESCRIPTION_MAX} characters; the rest is cut off.`,
    broken: ({ element }) => tooLong("The episode's description", textOf(element, "description"), DESCRIPTION_MAX),
  },
  {
    code: "episode.explicit.word",
    level: "warning",
    asks: "Apple",
    fix: 'Write "true" or "false".',
    broken: ({ element }) => explicitWord(textOf(element, "itunes:explicit")),
  },
  {
    code: "episode.kind.unknown",
    level: "warning",
    asks: "Apple",
    fix: 'Write "full", "trailer" or "bonus".',
    broken: ({ element }) => oneOf("The episode's itunes:episodeType", textOf(element, "itunes:episodeType"), ["full", "trailer", "bonus"]),
  },
  {
    code: "episode.number",
    level: "warning",
    asks: "Apple",
    fix: "Write whole numbers from 1 on as season and episode.",
    broken({ element }) {
      const wrong = ["itunes:season", "itunes:episode"].find((name) => textOf(element, name) && !/^[1-9]\d*$/.test(textOf(element, name)));
      return wrong === undefined ? null : `${wrong} says ${quoted(textOf(element, wrong))}.`;
    },
  },
  {
    code: "episode.number.missing",
    level: "warning",
    asks: "Apple",
    fix: "Number the episodes of a serial show (<itunes:episode>): Apple orders them by it.",
    broken({ channel, element }) {
      const serial = textOf(channel, "itunes:type").toLowerCase() === "serial";
      const full = /^(?:|full)$/i.test(textOf(element, "itunes:episodeType"));
      return serial && full && !textOf(element, "itunes:episode") ? "The show is serial, and the episode has no number." : null;
    },
  },
  {
    code: "episode.image",
    level: "warning",
    asks: "Apple",
    fix: "Write the picture's absolute address into <itunes:image>, or leave the element out.",
    broken({ element }) {
      const [image] = children(element, "itunes:image");
      return image ? said("The episode's picture", image.attributes["href"]?.trim() ?? "") : null;
    },
  },
  {
    code: "episode.transcript",
    level: "warning",
    asks: "Podcasting 2.0",
    fix: "Give each <podcast:transcript> an absolute url and a type: text/vtt, application/x-subrip, text/html, text/plain or application/json.",
    broken({ element }) {
      for (const { attributes } of children(element, "podcast:transcript")) {
        if (!isWebAddress(attributes["url"] ?? "")) return "A transcript has no address.";
        if (!transcriptTypes.has(attributes["type"] ?? "")) return `A transcript's type is ${quoted(attributes["type"] ?? "")}.`;
      }
      return null;
    },
  },
];
