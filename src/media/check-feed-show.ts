import { isUuid } from "../kit/uuid.ts";
import { children, isWebAddress, linkOf, oneOf, quoted, readMailDate, said, textOf, tooLong, type FeedRule } from "./check-feed-rules.ts";

const DESCRIPTION_MAX = 4000;

/** What each feed has to say of its show, and of itself. */
export const showRules: readonly FeedRule[] = [
  {
    code: "show.title.missing",
    level: "error",
    asks: "RSS",
    fix: "Give the channel a <title>: the show's name.",
    broken: ({ channel }) => (textOf(channel, "title") ? null : "The show has no title."),
  },
  {
    code: "show.link",
    level: "error",
    asks: "RSS",
    fix: "Give the channel a <link> with the address of the show's page.",
    broken: ({ channel }) => said("The show's link", textOf(channel, "link")),
  },
  {
    code: "show.description.missing",
    level: "error",
    asks: "RSS",
    fix: "Give the channel a <description>: a sentence or more about the show.",
    broken: ({ channel }) => (textOf(channel, "description") || textOf(channel, "itunes:summary") ? null : "The show has no description."),
  },
  {
    code: "show.description.long",
    level: "warning",
    asks: "Apple",
    fix: `Shorten the description to ${DESCRIPTION_MAX} characters; Apple shows no more.`,
    broken: ({ channel }) => tooLong("The show's description", textOf(channel, "description"), DESCRIPTION_MAX),
  },
  {
    code: "show.language.missing",
    level: "error",
    asks: "Apple",
    fix: 'Give the channel a <language>, e.g. "en" or "vi".',
    broken: ({ channel }) => (textOf(channel, "language") ? null : "The show's language is not said."),
  },
  {
    code: "show.language.unknown",
    level: "error",
    asks: "Apple",
    fix: 'Write the language as ISO 639 has it, with a country if need be: "en", "en-us", "vi".',
    broken({ channel }) {
      const language = textOf(channel, "language");
      return language === "" || /^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/i.test(language) ? null : `${quoted(language)} is no language code.`;
    },
  },
  {
    code: "show.date",
    level: "warning",
    asks: "RSS",
    fix: 'Write dates as mails have them: "Fri, 20 Nov 2026 08:00:00 GMT".',
    broken({ channel }) {
      const wrong = ["pubDate", "lastBuildDate"].find((name) => textOf(channel, name) && readMailDate(textOf(channel, name)) === null);
      return wrong === undefined ? null : `The show's ${wrong} is no date that RSS knows: ${quoted(textOf(channel, wrong))}`;
    },
  },
  {
    code: "show.self.missing",
    level: "warning",
    asks: "RSS",
    fix: 'Give the channel <atom:link rel="self" href="…" type="application/rss+xml"/>.',
    broken: ({ channel }) => (isWebAddress(linkOf(channel, "self")) ? null : "The feed does not say its own address."),
  },
  {
    code: "show.self.other",
    level: "hint",
    asks: "RSS",
    fix: 'Let rel="self" name the address under which the feed is given to readers.',
    broken({ channel, url }) {
      const self = linkOf(channel, "self");
      return url === null || self === "" || self === url ? null : `The feed calls itself ${self}`;
    },
  },
  {
    code: "show.guid",
    level: "warning",
    asks: "Podcasting 2.0",
    fix: "Give the channel a <podcast:guid>: a UUID that stays when the feed moves.",
    broken({ channel }) {
      const guid = textOf(channel, "podcast:guid");
      if (guid === "") return "The show has no podcast:guid.";
      return isUuid(guid) ? null : `The show's podcast:guid is no UUID: ${quoted(guid)}`;
    },
  },
  {
    code: "show.locked",
    level: "hint",
    asks: "Podcasting 2.0",
    fix: "Give the channel <podcast:locked>yes</podcast:locked> so that other hosts ask before they take the show over, or no.",
    broken({ channel }) {
      const locked = textOf(channel, "podcast:locked");
      if (locked === "") return "Whether other hosts may take the show over is not said.";
      return oneOf("podcast:locked", locked, ["yes", "no"]);
    },
  },
  {
    code: "show.pages.archive",
    level: "warning",
    asks: "RFC 5005",
    fix: 'Subscribe to the address in <atom:link rel="current">: new episodes appear there.',
    broken: ({ channel }) =>
      children(channel, "fh:archive").length > 0 ? "This document is an archive of the feed, not the feed itself." : null,
  },
  {
    code: "show.pages.link",
    level: "error",
    asks: "RFC 5005",
    fix: "Let each page's links be absolute addresses of other pages.",
    broken({ channel }) {
      const self = linkOf(channel, "self");
      const wrong = ["prev-archive", "next-archive", "next"].find((rel) => {
        const to = linkOf(channel, rel);
        return to !== "" && (!isWebAddress(to) || to === self);
      });
      return wrong === undefined ? null : `The link to the ${wrong} page leads nowhere or back to the same page.`;
    },
  },
];
