import { appleCategories } from "./apple-categories.ts";
import { attributeOf, children, explicitWord, isWebAddress, oneOf, quoted, said, textOf, type FeedRule } from "./check-feed-rules.ts";
import type { XmlElement } from "./xml-read.ts";

/** What directories ask of a show before they list it. */
export const directoryRules: readonly FeedRule[] = [
  {
    code: "show.image",
    level: "error",
    asks: "Apple",
    fix: 'Give the channel <itunes:image href="…"/>: a square JPEG or PNG of 1400 to 3000 pixels.',
    broken: ({ channel }) => said("The show's cover (itunes:image)", attributeOf(channel, "itunes:image", "href")),
  },
  {
    code: "show.image.kind",
    level: "warning",
    asks: "Apple",
    fix: "Let the cover's address end in .jpg or .png.",
    broken({ channel }) {
      const url = URL.parse(attributeOf(channel, "itunes:image", "href"));
      return !url || /\.(?:jpe?g|png)$/i.test(url.pathname) ? null : `The cover's address ends in neither .jpg nor .png: ${url.pathname}`;
    },
  },
  {
    code: "show.category.missing",
    level: "error",
    asks: "Apple",
    fix: 'Give the channel <itunes:category text="…"/> from Apple\'s list.',
    broken: ({ channel }) => (attributeOf(channel, "itunes:category", "text") ? null : "The show has no category."),
  },
  {
    code: "show.category.unknown",
    level: "error",
    asks: "Apple",
    fix: `Take one of Apple's: ${Object.keys(appleCategories).join(", ")}.`,
    broken({ channel }) {
      const unknown = children(channel, "itunes:category")
        .map(({ attributes }) => attributes["text"] ?? "")
        .find((text) => text !== "" && !Object.hasOwn(appleCategories, text));
      return unknown === undefined ? null : `Apple has no category ${quoted(unknown)}.`;
    },
  },
  {
    code: "show.subcategory.unknown",
    level: "warning",
    asks: "Apple",
    fix: "Take a subcategory that Apple has below the category, or none.",
    broken({ channel }) {
      for (const category of children(channel, "itunes:category")) {
        const name = category.attributes["text"] ?? "";
        const known = appleCategories[name];
        const wrong = children(category, "itunes:category").find(({ attributes }) => !known?.includes(attributes["text"] ?? ""));
        if (known && wrong) return `Apple has no ${quoted(wrong.attributes["text"] ?? "")} below ${quoted(name)}.`;
      }
      return null;
    },
  },
  {
    code: "show.explicit.missing",
    level: "error",
    asks: "Apple",
    fix: "Give the channel <itunes:explicit>false</itunes:explicit>, or true.",
    broken: ({ channel }) => (textOf(channel, "itunes:explicit") ? null : "Whether the show is explicit is not said."),
  },
  {
    code: "show.explicit.word",
    level: "warning",
    asks: "Apple",
    fix: 'Write "true" or "false".',
    broken: ({ channel }) => explicitWord(textOf(channel, "itunes:explicit")),
  },
  {
    code: "show.author.missing",
    level: "warning",
    asks: "Apple",
    fix: "Give the channel <itunes:author>: who makes the show.",
    broken: ({ channel }) => (textOf(channel, "itunes:author") ? null : "Who makes the show is not said."),
  },
  {
    code: "show.owner.missing",
    level: "warning",
    asks: "Spotify",
    fix: "Give the channel <itunes:owner> with <itunes:email>, at least until the show is claimed: directories mail a code to it.",
    broken: ({ channel }) => (ownerEmail(channel) ? null : "The feed names no owner's e-mail address, so nobody can claim the show."),
  },
  {
    code: "show.owner.address",
    level: "warning",
    asks: "Spotify",
    fix: "Write an address that receives mail into <itunes:email>.",
    broken({ channel }) {
      const email = ownerEmail(channel);
      return email === "" || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email) ? null : `${quoted(email)} is no e-mail address.`;
    },
  },
  {
    code: "show.type.unknown",
    level: "warning",
    asks: "Apple",
    fix: 'Write "episodic" or "serial".',
    broken: ({ channel }) => oneOf("The show's itunes:type", textOf(channel, "itunes:type"), ["episodic", "serial"]),
  },
  {
    code: "show.hidden",
    level: "hint",
    asks: "Apple",
    fix: "Take <itunes:block> away when the show is to be listed.",
    broken: ({ channel }) => (/^yes$/i.test(textOf(channel, "itunes:block")) ? "The show asks directories not to list it." : null),
  },
  {
    code: "show.complete",
    level: "hint",
    asks: "Apple",
    fix: "Take <itunes:complete> away when more episodes follow: Apple stops looking for them.",
    broken: ({ channel }) => (/^yes$/i.test(textOf(channel, "itunes:complete")) ? "The show says that it has ended." : null),
  },
  {
    code: "show.moved",
    level: "warning",
    asks: "Apple",
    fix: "Write the feed's new address, absolute, and subscribe to that one.",
    broken({ channel, url }) {
      const to = textOf(channel, "itunes:new-feed-url");
      if (to === "" || to === url) return null;
      return isWebAddress(to) ? `The feed says that it has moved to ${to}` : `itunes:new-feed-url is no address: ${quoted(to)}`;
    },
  },
  {
    code: "show.episodes.none",
    level: "error",
    asks: "Apple",
    fix: "Publish an episode before you submit the show.",
    broken: ({ items }) => (items.length > 0 ? null : "The feed has no episode."),
  },
];

function ownerEmail(channel: XmlElement): string {
  const owner = children(channel, "itunes:owner")[0];
  return (owner && textOf(owner, "itunes:email")) || attributeOf(channel, "podcast:locked", "owner");
}
