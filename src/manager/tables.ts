import type { Generated, JSONColumnType, Selectable } from "kysely";
import type { WorkerEpisode } from "../contract/worker-api.ts";
import type { TaskState } from "../contract/states.ts";

/** The manager's tables as SQL names them. Times are `timestamptz`; every one comes from the manager's clock, none from the database's. */
export interface ManagerTables {
  users: UsersTable;
  groups: GroupsTable;
  api_keys: ApiKeysTable;
  accounts: AccountsTable;
  requests: RequestsTable;
  links: LinksTable;
  announced_sites: AnnouncedSitesTable;
  history: HistoryTable;
}

interface UsersTable {
  id: string;
  email: string;
  /** null: can't sign in. */
  password_hash: string | null;
  role: "owner" | "user";
  created_at: Date;
}

interface GroupsTable {
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

/** An account on a site. The five secrets are sealed by the vault, "" where there is none. */
interface AccountsTable {
  id: string;
  group_id: string;
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
  status: "pending" | "running" | "completed" | "stopped" | "failed";
  created_at: Date;
  updated_at: Date;
  started_at: Date | null;
  completed_at: Date | null;
}

/** A task of the worker API (podcast_post_link): one account, N episodes. */
interface LinksTable {
  id: string;
  request_id: string;
  account_id: string;
  /** A primary posts episodes; a secondary imports a primary's feed. */
  kind: "primary" | "secondary";
  /** Copy of the account's site: pulls filter by it. */
  site: string;
  state: TaskState;
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
  /** The feed that a secondary imports; "" until it is handed out for the first time. From then on it is this one. */
  link_rss: string;
  link_post: string;
  note: string;
  error_message: string;
  failure_code: string | null;
  retry_count: number;
  max_retries: number;
  /** Not handed out before. */
  next_at: Date | null;
  created_at: Date;
  updated_at: Date;
  started_at: Date | null;
  completed_at: Date | null;
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
export type LinkRow = Selectable<LinksTable>;
export type AccountRow = Selectable<AccountsTable>;
