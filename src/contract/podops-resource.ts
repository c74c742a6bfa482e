import { z } from "zod";
import { httpUrl, text } from "./api-route.ts";

/** What PodOps knows: a show, its episodes, and the files that they point to. */
export const kinds = ["show", "episode", "asset"] as const;
export type Kind = (typeof kinds)[number];

/** What may stand for a kind in an address; lists also take "all". */
export const kindAliases: Readonly<Record<string, Kind>> = {
  show: "show",
  shows: "show",
  episode: "episode",
  episodes: "episode",
  asset: "asset",
  assets: "asset",
};

export const MAX_SUMMARY_CHARACTERS = 20_000;
export const MAX_TITLE_CHARACTERS = 200;
/** BCP 47, as far as feeds use it. */
const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;

const NAME_RULE = "has 8 to 44 characters of a-z, 0-9, - and _";
export const resourceName = z.string().regex(/^[a-z0-9_-]{8,44}$/, NAME_RULE);
export const resourceGuid = z.string().regex(/^[0-9a-f]{12}$/, "is not 12 hexadecimal digits");
/** Of an asset: a file's name. */
export const fileName = z
  .string()
  .regex(/^(?!\.)[A-Za-z0-9._-]{1,100}$/, "has 1 to 100 ASCII letters, digits, dots, dashes and underscores");

/**
 * Where a file is. `local`: uploaded here, by its name, its GUID or the address that the upload answered. `external`: left where it
 * is. `import`: fetched from there in the background, and then kept here.
 */
export const assetRels = ["local", "external", "import"] as const;

const bytes = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
  .describe("bytes");
const seconds = z.number().min(0).max(1_000_000).describe("seconds");

/** A pointer to a file. */
export const assetRef = z
  .object({
    uri: text.min(1, "is empty").max(2000),
    rel: z.enum(assetRels).default("local"),
    type: text.max(100).optional().describe("media type; of an external recording it is needed"),
    size: bytes.optional(),
    duration: seconds.optional(),
  })
  .superRefine(({ uri, rel }, context) => {
    if (rel !== "local" && !httpUrl.safeParse(uri).success)
      context.addIssue({ code: "custom", path: ["uri"], message: "not an http(s) address" });
  });
export type AssetRef = z.output<typeof assetRef>;

const link = z.object({ uri: httpUrl });
const category = z.object({ name: text.min(1, "is empty").max(100), subcategory: z.array(text.min(1).max(100)).max(10).default([]) });

/** Unix seconds, or a date as in mails and feeds (RFC 1123). */
export const resourceDate = z.union([z.int().min(0).max(253_402_300_799), text.max(40)]).transform((given, context) => {
  const seconds = typeof given === "number" ? given : /^\d{1,12}$/.test(given.trim()) ? Number(given) : Date.parse(given) / 1000;
  if (Number.isFinite(seconds) && seconds >= 0 && seconds <= 253_402_300_799) return new Date(Math.floor(seconds) * 1000);
  context.issues.push({ code: "custom", input: given, message: 'neither unix seconds nor a date such as "Sat, 21 Nov 2026 07:00:00 GMT"' });
  return z.NEVER;
});

const yesNo = z.union([
  z.enum(["true", "false", "yes", "no"]),
  z.boolean().transform((on) => (on ? ("true" as const) : ("false" as const))),
]);
const number = z.union([
  z.string().regex(/^\d{1,9}$/, "is no whole number"),
  z
    .int()
    .min(0)
    .max(999_999_999)
    .transform((whole) => String(whole)),
]);
const label = z.union([text.max(2000), z.number().transform(String), z.boolean().transform(String)]);

const labels = {
  /** Of an episode: a draft, which no build takes. */
  draft: yesNo.optional(),
  explicit: yesNo.optional(),
  block: z.union([yesNo, z.enum(["Yes", "No"])]).optional(),
  guid: text.min(1).max(2000).optional(),
};
const showLabels = z
  .object({
    ...labels,
    /** The feed's podcast:guid. */
    guid: z.guid("is no UUID").optional(),
    language: z.string().regex(LANGUAGE, 'is no language such as "en" or "pt-BR"').optional(),
    type: z.enum(["episodic", "serial", "Episodic", "Serial"]).optional(),
    complete: z.union([yesNo, z.enum(["Yes", "No"])]).optional(),
  })
  .catchall(label);
const episodeLabels = z
  .object({
    ...labels,
    season: number.optional(),
    episode: number.optional(),
    /** A machine's voice: said in the feed, with a transcript of the summary. */
    narrated: yesNo.optional(),
    type: z.enum(["full", "trailer", "bonus", "Full", "Trailer", "Bonus"]).optional(),
  })
  .catchall(label);

const metadata = {
  guid: resourceGuid.optional().describe("absent: as in the address, or a new one"),
  parent: resourceGuid.optional(),
  date: resourceDate.optional(),
  tags: z
    .union([
      z.array(text.max(100)).max(50),
      text.max(2000).transform((list) =>
        list
          .split(",")
          .map((tag) => tag.trim())
          .filter(Boolean),
      ),
    ])
    .optional(),
};
const apiVersion = z
  .string()
  .regex(/^v1(\.0)?$/, 'is "v1"')
  .default("v1");
const title = text
  .refine((value) => value.trim() !== "", "is empty")
  .refine((value) => [...value.trim()].length <= MAX_TITLE_CHARACTERS, `has more than ${MAX_TITLE_CHARACTERS} characters`);

export const showInput = z.object({
  apiVersion,
  kind: z.literal("show").default("show"),
  metadata: z.object({ ...metadata, name: resourceName.optional(), labels: showLabels.default({}) }).default({ labels: {} }),
  description: z.object({
    title,
    summary: text.max(4000).default(""),
    link: link.optional(),
    category: z.union([category, z.array(category).max(10)]).optional(),
    owner: z.object({ name: text.max(200).default(""), email: z.union([z.email(), z.literal("")]).default("") }).optional(),
    author: text.max(200).optional(),
    copyright: text.max(500).optional(),
    newFeed: link.optional(),
  }),
  image: assetRef.optional(),
});

export const episodeInput = z.object({
  apiVersion,
  kind: z.literal("episode").default("episode"),
  metadata: z.object({ ...metadata, name: resourceName.optional(), labels: episodeLabels.default({}) }).default({ labels: {} }),
  description: z.object({
    title,
    summary: text.max(MAX_SUMMARY_CHARACTERS).default("").describe("text or HTML"),
    link: link.optional(),
    duration: seconds.optional(),
  }),
  image: assetRef.optional(),
  enclosure: assetRef,
});

export const assetInput = z.object({
  apiVersion,
  kind: z.literal("asset").default("asset"),
  metadata: z.object({ ...metadata, name: fileName.optional(), labels: z.record(z.string(), label).default({}) }).default({ labels: {} }),
  enclosure: assetRef,
});

export const resourceInput = z.union([episodeInput, showInput, assetInput]);
export type ShowInput = z.output<typeof showInput>;
export type EpisodeInput = z.output<typeof episodeInput>;
export type AssetInput = z.output<typeof assetInput>;

/** waiting: to be fetched. processing: it is here, and looked at. failed: not fetched, or no file of its kind; `problem` says why. */
export const assetStates = ["waiting", "processing", "ready", "failed"] as const;

const assetAnswer = z.object({
  uri: z.string(),
  rel: z.enum(assetRels),
  type: z.string(),
  size: z.int(),
  duration: z.number().optional().describe("seconds; of recordings"),
  guid: z.string().describe("of the asset"),
  url: z.string().describe("where anybody gets it; empty until it is ready"),
  state: z.enum(assetStates),
  problem: z.string().optional(),
});
export type AssetAnswer = z.output<typeof assetAnswer>;

const metadataAnswer = z.object({
  name: z.string(),
  guid: z.string(),
  parent: z.string().describe("of what belongs to the show: its GUID"),
  date: z.string().describe("RFC 1123"),
  labels: z.record(z.string(), z.string()),
  tags: z.array(z.string()),
});
const place = z.object({ uri: z.string() });
const categoryAnswer = z.object({ name: z.string(), subcategory: z.array(z.string()) });

const showAnswer = z.object({
  apiVersion: z.literal("v1"),
  kind: z.literal("show"),
  metadata: metadataAnswer,
  description: z.object({
    title: z.string(),
    summary: z.string(),
    link: place,
    category: z.union([categoryAnswer, z.array(categoryAnswer)]).describe("one, or a list where it was sent as a list"),
    owner: z.object({ name: z.string(), email: z.string() }),
    author: z.string(),
    copyright: z.string(),
    newFeed: place.optional(),
  }),
  image: assetAnswer.optional(),
});

const episodeAnswer = z.object({
  apiVersion: z.literal("v1"),
  kind: z.literal("episode"),
  metadata: metadataAnswer,
  description: z.object({ title: z.string(), summary: z.string(), link: place, duration: z.number() }),
  image: assetAnswer.optional(),
  enclosure: assetAnswer.optional(),
  state: z.enum(["draft", "waiting", "scheduled", "published"]).describe("waiting: the next build takes it"),
});

const assetResource = z.object({
  apiVersion: z.literal("v1"),
  kind: z.literal("asset"),
  metadata: metadataAnswer,
  enclosure: assetAnswer,
});

/** What is answered, by its kind. */
export const resource = z.union([episodeAnswer, showAnswer, assetResource]);
export type Resource = z.output<typeof resource>;
export type ShowResource = z.output<typeof showAnswer>;
export type EpisodeResource = z.output<typeof episodeAnswer>;
export type AssetResource = z.output<typeof assetResource>;
