import type { ColumnType, Generated, GeneratedAlways, JSONColumnType, Selectable } from "kysely";
import type { WorkerEpisode } from "../contract/worker-api.ts";
import type { TaskState } from "../contract/states.ts";
import type { UsageMode } from "../contract/content-api.ts";
import type { PostedEpisode } from "./posted.ts";

/** The manager's tables as SQL names them. Times are `timestamptz`; every one comes from the manager's clock, none from the database's. */
export interface ManagerTables {
  users: UsersTable;
  groups: GroupsTable;
  api_keys: ApiKeysTable;
  accounts: AccountsTable;
  requests: RequestsTable;
  links: LinksTable;
  tallies: TalliesTable;
  announced_sites: AnnouncedSitesTable;
  history: HistoryTable;
  signing_keys: { id: string; sealed_key: string; created_at: Date };
  refresh_tokens: RefreshTokensTable;
  credits: CreditsTable;
  audit: AuditTable;
  jobs: JobsTable;
  account_checks: AccountChecksTable;
  job_checks: JobChecksTable;
  contents: ContentsTable;
  content_variants: ContentVariantsTable;
  content_picks: ContentPicksTable;
  media_store: { id: string };
  media: MediaTable;
  variant_media: VariantMediaTable;
  tags: TagsTable;
  content_tags: { content_id: string; tag_id: string };
}

interface UsersTable {
  id: string;
  email: string;
  /** null: can't sign in. */
  password_hash: string | null;
  role: "owner" | "operator" | "viewer";
  /** For whom an operator or a viewer works; all that they make is that owner's. null: an owner. */
  owner_id: string | null;
  created_at: Date;
}

/** A refresh token by its SHA-256; those of one sign-in are a family. */
interface RefreshTokensTable {
  hash: string;
  family: string;
  user_id: string;
  scope: string;
  created_at: Date;
  expires_at: Date;
  /** Exchanged for the next one. */
  used_at: Date | null;
}

/** Append-only. An owner's balance is the sum of the amounts; what a request holds is minus the sum of its own. */
interface CreditsTable {
  id: Generated<number>;
  at: Date;
  user_id: string;
  amount: number;
  kind: "grant" | "reserve" | "refund" | "charge";
  /** No foreign key: the ledger outlives the request. */
  request_id: string | null;
  note: string;
}

/** Append-only. */
interface AuditTable {
  id: Generated<number>;
  at: Date;
  /** No foreign key: the log outlives the user. null: it concerns all owners. */
  user_id: string | null;
  email: string;
  action: string;
  what: string;
  how_many: number;
}

/** A number of checks that were ordered together. */
interface JobsTable {
  id: string;
  user_id: string;
  kind: "check";
  total: number;
  created_at: Date;
}

/** A sign-in that a farm is asked to try. At most one open one an account. */
interface AccountChecksTable {
  id: string;
  account_id: string;
  /** Copy of the account's site: pulls filter by it. */
  site: string;
  state: "waiting" | "claimed" | "passed" | "failed";
  holder: string | null;
  lease_until: Date | null;
  error_message: string;
  created_at: Date;
  ended_at: Date | null;
  /** null: it has ended. */
  lane: GeneratedAlways<"check" | null>;
  /** Not handed out before, save to its holder; null: at once. */
  due_at: GeneratedAlways<Date | null>;
}

/** Which checks a job waits for. Several jobs may wait for the same one. */
interface JobChecksTable {
  job_id: string;
  check_id: string;
}

export interface GroupsTable {
  id: string;
  user_id: string | null;
  name: string;
  service_type: string;
  status: string;
  created_at: Date;
  updated_at: Date;
}

interface ApiKeysTable {
  id: string;
  user_id: string | null;
  name: string;
  /** The key's first characters, shown to people so that they can tell keys apart. */
  prefix: string;
  /** SHA-256 of the whole key, hex. The key itself is kept nowhere. */
  hash: string;
  scopes: JSONColumnType<string[]>;
  created_at: Date;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

/** An account on a site. The six secrets are sealed by the vault, "" where there is none. */
export interface AccountsTable {
  id: string;
  group_id: string;
  /** The site as it was written; "": as `site`. */
  website: Generated<string>;
  /** Host of the site, with its port where that is not the default. */
  site: string;
  /** lower(username or email): with group and site the account's identity. */
  login: string;
  username: string;
  email: string;
  password: string;
  pass_mail: string;
  twofa: string;
  app_password: string;
  api_token: string;
  cookie: string;
  link_rss: string;
  /** One of its links is. */
  is_indexed: Generated<boolean>;
  /** active | inactive | unsupported | failed: the last check, or a farm, found that it can't sign in. */
  status: string;
  note: string;
  created_at: Date;
  updated_at: Date;
}

/** An order for work; the worker API knows it by its id and target, the Backlink API by the rest. */
interface RequestsTable {
  id: string;
  user_id: string | null;
  /** null: aimed at single accounts, not at a group. */
  group_id: string | null;
  service_type: string;
  type_request: string;
  name: string;
  /** The address that the order is for; not the site that is posted to. */
  website: string;
  auction_price: number;
  target: number;
  priority: number;
  config: JSONColumnType<object>;
  data: JSONColumnType<object>;
  folder_urls: JSONColumnType<object>;
  /** Rows in `links`; triggers count them. */
  created_links: Generated<number>;
  /** Units that were ever completed: deleting their links takes them from no site, and refunds nothing. A trigger counts them. */
  done_units: Generated<number>;
  /** What they cost, each at the price of its time. A trigger counts it. */
  spent_credits: Generated<number>;
  status: "pending" | "running" | "completed" | "stopped" | "failed";
  created_at: Date;
  updated_at: Date;
  started_at: Date | null;
  completed_at: Date | null;
}

/** A task of the worker API (podcast_post_link): one account, N episodes. */
export interface LinksTable {
  id: string;
  request_id: string;
  account_id: string;
  /** A primary posts episodes; a secondary imports a primary's feed. */
  kind: "primary" | "secondary";
  /** Copy of the account's site: pulls filter by it. */
  site: string;
  state: TaskState;
  /** What it is counted and listed as; see link-status.ts. */
  phase: GeneratedAlways<LinkPhase>;
  /** `key id/worker id` of who holds it, or held it last. */
  holder: string | null;
  /** The same for people: the key's id and the worker's name. */
  server_id: string | null;
  server_name: string | null;
  /** Every holder that ever started it: their late word about a posted episode counts. */
  started_by: JSONColumnType<string[]>;
  /** While in the future, nobody but the holder may have the task. */
  lease_until: Date | null;
  priority: number;
  /** A primary's work; a secondary has none. */
  episodes: JSONColumnType<WorkerEpisode[]>;
  /** Those of its episodes that are on the site although it failed: they are charged, and nobody is to post them again. */
  posted: ColumnType<PostedEpisode[], string | undefined, string>;
  /** What it counts for in its request once it is completed: a primary's episodes. */
  units: GeneratedAlways<number>;
  /** What it counts for by now: all of them once it is completed, before that those that are posted. */
  units_done: GeneratedAlways<number>;
  /** The feed that a secondary imports: its request's first, once there is one ("" before). From then on it is this one. */
  link_rss: string;
  link_post: string;
  /** What the account's profile says, and where it is, as the farm reported it. */
  about: Generated<string>;
  link_profile: Generated<string>;
  /** A search engine has the page: the farm said so, or it is what the link was for. */
  is_indexed: Generated<boolean>;
  note: string;
  error_message: string;
  failure_code: string | null;
  retry_count: number;
  max_retries: number;
  /** Not handed out before. */
  next_at: Date | null;
  /** Its account or its account's group is inactive: nobody gets it. Triggers keep it. */
  paused: Generated<boolean>;
  /** The line in which it waits for a farm, or for its holder to lose it; null: it has ended, is paused, or lacks its feed. */
  lane: GeneratedAlways<LinkKind | null>;
  /** When whoever asks may have it: after a pause or a lease. null: at once. */
  due_at: GeneratedAlways<Date | null>;
  created_at: Date;
  updated_at: Date;
  started_at: Date | null;
  completed_at: Date | null;
}

/** How many links of a request are in a phase, or accounts of a group have a status: the sum of the rows, which triggers add. */
interface TalliesTable {
  of_id: string;
  word: string;
  n: number;
}

/** Which sites a farm said it can drive, on its last pull that named any. */
interface AnnouncedSitesTable {
  holder: string;
  /** What it can do there: post episodes, or import feeds. */
  kind: "primary" | "secondary";
  site: string;
  seen_at: Date;
}

/** What workers asked and what they were answered. Rows are added, never changed (a trigger holds that); no row has a secret. */
interface HistoryTable {
  id: Generated<number>;
  at: Date;
  key_id: string;
  worker: string;
  action: string;
  /** No foreign key: the history outlives the task. */
  task_id: string | null;
  status: number;
  /** "ok", "repeated", or the code of the error. */
  code: string;
}

/** A primary posts episodes; a secondary imports a primary's feed. */
export type LinkKind = LinksTable["kind"];
/** A link's state, and of a waiting one what it waits for. */
export type LinkPhase = TaskState | "awaiting_feed" | "backing_off";
export type LinkRow = Selectable<LinksTable>;
export type RequestRow = Selectable<RequestsTable>;
export type AccountRow = Selectable<AccountsTable>;
export type GroupRow = Selectable<GroupsTable>;

/** What is posted, in variants. `user_id` null: it belongs to the API keys that belong to nobody; so for media and tags. */
interface ContentsTable {
  id: string;
  user_id: string | null;
  title: string;
  type: "social" | "wordpress";
  action_type: string;
  status: "active" | "inactive";
  variant_usage_mode: UsageMode;
  created_at: Date;
  updated_at: Date;
}

interface ContentVariantsTable {
  id: string;
  content_id: string;
  content: string;
  media_usage_mode: UsageMode;
  weight: number;
  order: number;
  /** In the list as it was given: decides between variants of one `order`. */
  place: number;
  /** Taken in this round; the next begins when all are. */
  is_used: Generated<boolean>;
  last_used_at: Date | null;
}

/** What was taken under a key, as it was then: it outlives changes of the variant and its end. */
interface ContentPicksTable {
  content_id: string;
  key: string;
  pick: JSONColumnType<object>;
  taken_at: Date;
}

/** A file in the media store, under its id. The one row of `media_store` names that: a folder of this database alone. */
interface MediaTable {
  id: string;
  user_id: string | null;
  filename: string;
  mime_type: string;
  size_bytes: number;
  duration_sec: number | null;
  created_at: Date;
}

interface VariantMediaTable {
  variant_id: string;
  media_id: string;
  place: number;
  /** As a variant's. */
  is_used: Generated<boolean>;
}

/** One an owner and `key`, which is the name in lower case. */
interface TagsTable {
  id: string;
  user_id: string | null;
  /** As it was first written. */
  name: string;
  key: string;
}
