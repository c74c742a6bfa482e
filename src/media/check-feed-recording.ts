import { attributeOf, children, quoted, said, textOf, type FeedRule, type Seen } from "./check-feed-rules.ts";

/** What Apple plays, by type and by the address's ending. */
const appleTypes: ReadonlySet<string> = new Set([
  "audio/mpeg",
  "audio/mp3",
  "audio/mp4",
  "audio/x-m4a",
  "audio/aac",
  "video/mp4",
  "video/x-m4v",
  "video/quicktime",
]);

/** What an episode has to say of its recording. */
export const recordingRules: readonly FeedRule[] = [
  {
    code: "episode.enclosure.missing",
    level: "error",
    asks: "RSS",
    fix: 'Give the item <enclosure url="…" length="…" type="audio/mpeg"/>; without one, apps leave the episode out.',
    broken: ({ element }) => (enclosureOf(element) ? null : "The episode has no recording (enclosure)."),
  },
  {
    code: "episode.enclosure.url",
    level: "error",
    asks: "RSS",
    fix: "Write the recording's absolute http(s) address.",
    broken: ({ element }) => (enclosureOf(element) ? said("The recording's address", attributeOf(element, "enclosure", "url")) : null),
  },
  {
    code: "episode.enclosure.length",
    level: "error",
    asks: "RSS",
    fix: "Write the file's size in bytes into the enclosure's length.",
    broken({ element }) {
      const length = enclosureOf(element)?.["length"];
      return length === undefined && !enclosureOf(element) ? null : sizeProblem(length ?? "");
    },
  },
  {
    code: "episode.enclosure.type",
    level: "error",
    asks: "RSS",
    fix: 'Write the file\'s type into the enclosure, e.g. type="audio/mpeg".',
    broken({ element }) {
      const enclosure = enclosureOf(element);
      return !enclosure || /^[\w.+-]+\/[\w.+-]+/.test(enclosure["type"] ?? "") ? null : "The recording's type is not said.";
    },
  },
  {
    code: "episode.enclosure.kind",
    level: "warning",
    asks: "Apple",
    fix: "Publish the recording as MP3 or AAC (M4A).",
    broken({ element }) {
      const type = enclosureOf(element)?.["type"] ?? "";
      return type === "" || appleTypes.has(type.toLowerCase()) ? null : `Apple does not play ${quoted(type)}.`;
    },
  },
  {
    code: "episode.enclosure.ending",
    level: "warning",
    asks: "Apple",
    fix: "Let the recording's address end in .mp3, .m4a, .mp4, .m4v or .mov, before a question mark if any.",
    broken({ element }) {
      const url = URL.parse(attributeOf(element, "enclosure", "url"));
      return !url || /\.(?:mp3|m4a|mp4|m4v|mov)$/i.test(url.pathname)
        ? null
        : `The recording's address does not tell its type: ${quoted(url.pathname)}`;
    },
  },
  {
    code: "episode.enclosure.several",
    level: "warning",
    asks: "RSS",
    fix: "Leave one enclosure; offer others as <podcast:alternateEnclosure>.",
    broken: ({ element }) =>
      children(element, "enclosure").length > 1 ? "The episode has several enclosures; apps take any one of them." : null,
  },
  {
    code: "episode.duration",
    level: "warning",
    asks: "Apple",
    fix: "Give the item <itunes:duration>: seconds, or HH:MM:SS.",
    broken({ element }) {
      const duration = textOf(element, "itunes:duration");
      if (duration === "") return "How long the episode lasts is not said.";
      return /^(?:\d+|(?:\d+:)?\d{1,2}:\d{2})$/.test(duration) ? null : `${quoted(duration)} is no duration.`;
    },
  },
];

function enclosureOf(element: Seen["element"]): Readonly<Record<string, string>> | undefined {
  return children(element, "enclosure")[0]?.attributes;
}

function sizeProblem(length: string): string | null {
  if (length === "") return "The recording's size is not said.";
  return /^[1-9]\d*$/.test(length) ? null : `The recording's size is said to be ${quoted(length)}.`;
}
