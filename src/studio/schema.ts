import type { Generated, Kysely } from "kysely";

/** The studio's tables. Times are timestamptz; GUIDs are 12 hex digits; sizes are bytes. */
export interface StudioTables {
  accounts: AccountsTable;
  totp_used: { account_id: string; step: number };
  mailed_codes: MailedCodesTable;
  login_attempts: { email: string; failures: number; last_at: Date; locked_until: Date | null };
  sessions: SessionsTable;
  admin_keys: { id: Generated<number>; prefix: string; key_hash: string; created_at: Date };
  productions: ProductionsTable;
  shows: ShowsTable;
  assets: AssetsTable;
  /** One row: who this studio is to a media store that others may use, too. */
  media_owner: { one: Generated<boolean>; id: string };
  /** Contents of files that nobody points to (the first 32 hex digits of their names), and since when a sweep knows. */
  media_unused: { content: string; since: Date };
  /** Contents whose files a sweep takes away, or has; see media/removals.ts. */
  media_removals: { content: string; token: string; since: Date; done: boolean };
  asset_refs: AssetRefsTable;
  /** Of the tokens, sealed by the vault under "signing_keys:<id>:sealed_key". */
  signing_keys: { id: string; sealed_key: string; created_at: Date };
  episodes: EpisodesTable;
  builds: { id: Generated<number>; production: string; at: Date; reason: string };
  history: HistoryTable;
  imports: ImportsTable;
  import_episodes: ImportEpisodesTable;
  import_history: ImportHistoryTable;
}

export type StudioDb = Kysely<StudioTables>;

export const secondFactors = ["none", "totp", "mail"] as const;
export type SecondFactor = (typeof secondFactors)[number];
export const locales = ["en", "vi"] as const;
export type Locale = (typeof locales)[number];

export interface AccountsTable {
  id: string;
  /** Lower case. */
  email: string;
  name: string;
  /** `argon2id$…`, see kit/passwords.ts. */
  password_hash: string;
  second_factor: SecondFactor;
  /** Sealed by the vault under "accounts:<id>:totp_secret". */
  totp_sealed: string | null;
  locale: Locale;
  created_at: Date;
}

export interface MailedCodesTable {
  id: string;
  account_id: string;
  code_hash: string;
  tries: number;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
}

/** `code`: the password was right, the second factor is due. `challenge`: both were, a person has to prove to be one. */
export type SessionStage = "code" | "challenge" | "in";

export interface SessionsTable {
  id: string;
  token_hash: string;
  account_id: string;
  stage: SessionStage;
  /** Where to go after signing in. */
  next_path: string;
  /** A challenge was solved in this session. */
  human: boolean;
  /** The "what's new" pop-up was closed in this session. */
  saw_news: boolean;
  created_at: Date;
  expires_at: Date;
}

export interface ProductionsTable {
  guid: string;
  name: string;
  owner_id: string;
  title: string;
  summary: string;
  published: boolean;
  latest_publish_at: Date | null;
  build_at: Date | null;
  created_at: Date;
}

/** A production has one show, under the production's guid. */
export interface ShowsTable {
  guid: string;
  parent: string;
  name: string;
  title: string;
  description: string;
  language: string;
  author: string;
  owner_email: string;
  category: string;
  explicit: boolean;
  /** Said in the feed: other hosts are asked not to take the show over. */
  locked: boolean;
  /** The feed that it was taken over from. */
  imported_from: string | null;
  cover: string | null;
  /** Its cover once it has come; null: none is on its way. */
  next_cover: string | null;
  /** The id under which Podcasting 2.0 knows the show, where it is not derived from the feed's address. */
  podcast_guid: string | null;
  /** JSON, see resources/details.ts. */
  details: string;
  created_at: Date;
  updated_at: Date;
}

/** waiting: to be fetched from elsewhere, without a file as yet. */
export type AssetState = "waiting" | "processing" | "ready" | "refused";

export interface AssetsTable {
  guid: string;
  parent: string;
  kind: "audio" | "cover";
  /** As it was called on the uploader's machine. */
  file_name: string;
  /** Content-addressed, ASCII, below the media folder: `<32 hex>.<ending>`. "" while it waits; an address where it stays elsewhere. */
  path: string;
  mime: string;
  bytes: number;
  seconds: number | null;
  state: AssetState;
  /** Why it was refused: a key of the texts table. */
  problem: string | null;
  created_at: Date;
}

/** What the API says of a file. Those of the web studio have none. */
export interface AssetRefsTable {
  asset: string;
  parent: string;
  /** Unique in the show; null: it has none but its GUID. */
  name: string | null;
  rel: "local" | "external" | "import";
  /** Where it is, or comes from; "" of what was uploaded. */
  uri: string;
  /** JSON */
  labels: string;
  /** JSON */
  tags: string;
  tries: number;
  /** After a failed try. */
  not_before: Date | null;
  /** Why it could not be fetched; "" otherwise. */
  problem: string;
}

export type EpisodeState = "draft" | "scheduled" | "published";

export interface EpisodesTable {
  guid: string;
  parent: string;
  /** Set at the first publish, never changed: links outlive titles. */
  slug: string | null;
  title: string;
  /** Sanitised when it came in. */
  about_html: string;
  audio: string | null;
  cover: string | null;
  /** The voice is a machine's: said in the feed. */
  machine_voice: boolean;
  state: EpisodeState;
  publish_at: Date | null;
  published_at: Date | null;
  /** Under which the API finds it, unique in the show; null: made in the web studio. */
  name: string | null;
  /** The next build publishes or schedules it. */
  builds: boolean;
  /** When it is to appear, as the API was told; null: when it is published. */
  dated_at: Date | null;
  /** Its guid in the feed where that is not the row's own: it came with one. */
  feed_guid: string | null;
  /** JSON, see resources/details.ts. */
  details: string;
  created_at: Date;
  updated_at: Date;
}

export const publishOutcomes = ["published", "repeat", "refused"] as const;
export type PublishOutcome = (typeof publishOutcomes)[number];

/** Append-only: the database refuses UPDATE, DELETE and TRUNCATE. */
export interface HistoryTable {
  id: Generated<number>;
  at: Date;
  show_name: string;
  episode: string;
  account: string;
  title: string;
  audio_file: string;
  outcome: PublishOutcome;
  link: string;
  reason: string;
}

/** A show on its way in. asked: a code was mailed to the feed's owner. verified: it was typed in. done: there is a show. */
export interface ImportsTable {
  guid: string;
  account_id: string;
  feed_url: string;
  title: string;
  description: string;
  language: string;
  author: string;
  owner_email: string;
  category: string;
  explicit: boolean;
  state: "asked" | "verified" | "done";
  code_hash: string;
  tries: number;
  mailed_at: Date;
  expires_at: Date;
  show_guid: string | null;
  /** The feed's own, so that the show stays the same one for players and directories. */
  podcast_guid: string | null;
  created_at: Date;
}

/** offered: nobody has confirmed the import. waiting: to be copied. */
export interface ImportEpisodesTable {
  id: Generated<number>;
  import_guid: string;
  /** In the feed; null: it had none of its own. */
  guid: string | null;
  title: string;
  about_html: string;
  audio_url: string;
  published_at: Date;
  state: "offered" | "waiting" | "done" | "failed";
  tries: number;
  /** After a failed try. */
  not_before: Date | null;
  /** Why it was given up, "" otherwise. */
  problem: string;
}

/** Append-only, as the history of publish requests. */
export interface ImportHistoryTable {
  id: Generated<number>;
  at: Date;
  account: string;
  feed_url: string;
  import_guid: string;
  title: string;
  outcome: "imported" | "repeat" | "refused";
  link: string;
  reason: string;
}
