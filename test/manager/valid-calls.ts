import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { RouteName } from "./every-route.ts";
import { samples } from "./content/media-samples.ts";
import type { As, ContentScene } from "./content/support.ts";

/** What a call is made of. */
export interface ValidCall {
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string>>;
  body?: Readonly<Record<string, unknown>>;
}

/** Makes what a call needs. */
export interface Given {
  user(): Promise<{ email: string; password: string; refresh_token: string }>;
  group(): Promise<string>;
  account(): Promise<{ id: string; group: string }>;
  job(): Promise<string>;
  /** Ordered, not started; two accounts on two sites, and what is to be posted is enough for the first of them. */
  request(): Promise<string>;
  running(): Promise<string>;
  /** A link of a running request that no farm has. */
  link(): Promise<{ id: string; linkId: string }>;
  failedLink(): Promise<{ id: string; linkId: string }>;
  content(): Promise<string>;
  medium(): Promise<string>;
  /** Running, of the farm that calls. */
  task(): Promise<string>;
  /** Its feed is there, and the farm that calls has it. */
  secondary(): Promise<string>;
  check(): Promise<string>;
}

const website = "studio.example.com";
const email = (): string => `${randomUUID().slice(0, 8)}@example.com`;
const link_post = "https://studio.example.com/e/1";

/** @param as whose all of it is @param worker the farm */
export function given({ api, keeper }: ContentScene, as: As, worker: As): Given {
  const call = async (method: string, path: string, json?: unknown, who = as) => {
    const answer = await api(method, path, { as: who, json });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const made: Given = {
    async user() {
      const [login, password] = [email(), randomUUID()];
      await keeper.users.create({ email: login, password, role: "owner" });
      const { refresh_token } = await call("POST", "/auth/login", { email: login, password }, {});
      return { email: login, password, refresh_token };
    },
    group: async () => (await call("POST", "/backlink/groups", { name: "Mornings", service_type: "podcast" })).id,
    async account() {
      const group = await made.group();
      const { id } = await call("POST", `/backlink/groups/${group}/accounts`, { website, email: email(), password: "demo-password" });
      return { id, group };
    },
    job: async () => (await call("POST", `/backlink/accounts/${(await made.account()).id}/check`)).job_id,
    async request() {
      const { group } = await made.account();
      await call("POST", `/backlink/groups/${group}/accounts`, { website: "other.example.com", email: email() });
      const body = {
        group_id: group,
        name: "Week 47",
        auction_price: 50,
        target: 1,
        data: { episodes: [{ title: "One", about: "A text" }] },
      };
      return (await call("POST", "/backlink/podcast", body)).id;
    },
    async running() {
      const id = await made.request();
      await call("POST", `/backlink/podcast/${id}/start`);
      return id;
    },
    async link() {
      const id = await made.running();
      const { data } = await call("GET", `/backlink/podcast/${id}/links?status=queued`);
      return { id, linkId: data[0].id };
    },
    async failedLink() {
      const link = await made.link();
      await call("POST", `/podcast/links/${link.linkId}/start`, undefined, worker);
      await call("POST", `/podcast/links/${link.linkId}/fail`, { error_message: "the account is closed", retry: false }, worker);
      return link;
    },
    content: async () => (await call("POST", "/content", { title: "Tea", variants: [{ content: "One" }] })).content.id,
    async medium() {
      const body = new FormData();
      body.set("file", new Blob([samples.png]), "a.png");
      return (await api("POST", "/media", { as, body })).body.media.id;
    },
    async task() {
      const { taskId } = await keeper.makeTask({ account: { email: email() }, website, episodes: [{ title: "One" }] });
      await call("POST", `/podcast/links/${taskId}/start`, undefined, worker);
      return taskId;
    },
    async secondary() {
      const first = await keeper.makeTask({ account: { email: email() }, website, episodes: [{ title: "One" }] });
      const second = await keeper.makeImport({ requestId: first.requestId, account: { email: email() }, website: "other.example.com" });
      for (const [action, json] of [
        ["start", undefined],
        ["complete", { link_post }],
        ["account", { link_rss: "https://studio.example.com/rss" }],
      ] as const)
        await call("POST", `/podcast/links/${first.taskId}/${action}`, json, worker);
      await call("GET", "/podcast/links?type=secondary&limit=1000", undefined, worker);
      await call("POST", `/podcast/links/${second.accountId}/start`, undefined, worker);
      return second.accountId;
    },
    async check() {
      await made.job();
      const { data } = await call("GET", "/podcast/checks?limit=1000", undefined, worker);
      return data[0].id;
    },
  };
  return made;
}

const accounts = [{ website, username: "ann" }];
const onPodcast = (more: Record<string, string> = {}): ValidCall => ({ params: { type: "podcast", ...more } });
/** A call that shows what was made. */
const after =
  (what: keyof Given, call: ValidCall = {}) =>
  async (makes: Given): Promise<ValidCall> => {
    await makes[what]();
    return call;
  };

/** One valid call of each route, with no more in it than it takes. A route without one is an error of types. */
export const validCalls: { readonly [Name in RouteName]: (given: Given) => Promise<ValidCall> } = {
  login: async ({ user }) => {
    const { email: login, password } = await user();
    return { body: { email: login, password } };
  },
  refresh: async ({ user }) => ({ body: { refresh_token: (await user()).refresh_token } }),
  logout: async ({ user }) => ({ body: { refresh_token: (await user()).refresh_token } }),
  me: async () => ({}),
  listAudit: async () => ({}),

  createGroup: async () => ({ body: { name: "Mornings", service_type: "podcast" } }),
  listGroups: after("group"),
  importGroup: async () => ({ body: { name: "Mornings", service_type: "podcast", accounts } }),
  readGroup: async ({ group }) => ({ params: { id: await group() } }),
  changeGroup: async ({ group }) => ({ params: { id: await group() }, body: { name: "Evenings" } }),
  deleteGroup: async ({ group }) => ({ params: { id: await group() } }),
  exportGroup: async ({ account }) => ({ params: { id: (await account()).group } }),
  createAccount: async ({ group }) => ({ params: { id: await group() }, body: { website, email: email() } }),
  listAccounts: async ({ account }) => ({ params: { id: (await account()).group } }),
  importAccounts: async ({ group }) => ({ params: { id: await group() }, body: { accounts } }),
  checkAll: async ({ account }) => ({ params: { id: (await account()).group } }),
  readAccount: async ({ account }) => ({ params: { id: (await account()).id } }),
  changeAccount: async ({ account }) => ({ params: { id: (await account()).id }, body: { note: "kept" } }),
  deleteAccount: async ({ account }) => ({ params: { id: (await account()).id } }),
  checkAccount: async ({ account }) => ({ params: { id: (await account()).id } }),
  deleteAccounts: async ({ account }) => ({ body: { ids: [(await account()).id] } }),
  exportAccounts: async ({ account }) => ({ body: { ids: [(await account()).id] } }),
  readJob: async ({ job }) => ({ params: { id: await job() } }),
  countSites: async () => ({ query: { type: "podcast" } }),

  listProjects: after("request"),
  createRequest: async () => ({ ...onPodcast(), body: { name: "Week 47", auction_price: 50 } }),
  listRequests: after("request", onPodcast()),
  readRequest: async ({ request }) => onPodcast({ id: await request() }),
  changeRequest: async ({ request }) => ({ ...onPodcast({ id: await request() }), body: { name: "Week 48" } }),
  deleteRequest: async ({ request }) => onPodcast({ id: await request() }),
  startRequest: async ({ request }) => onPodcast({ id: await request() }),
  stopRequest: async ({ running }) => onPodcast({ id: await running() }),
  restartRequest: async ({ failedLink }) => onPodcast({ id: (await failedLink()).id }),
  deleteRequests: async ({ request }) => ({ body: { ids: [await request()] } }),
  exportRequests: async ({ request }) => ({ body: { ids: [await request()] } }),
  listLinks: async ({ running }) => onPodcast({ id: await running() }),
  exportLinks: async ({ running }) => onPodcast({ id: await running() }),
  retryLink: async ({ failedLink }) => onPodcast(await failedLink()),
  retryLinks: async ({ failedLink }) => onPodcast({ id: (await failedLink()).id }),
  deleteLink: async ({ link }) => onPodcast(await link()),
  readStats: after("running"),
  readTypeStats: after("running", onPodcast()),

  getById: async ({ content }) => ({ params: { id: await content() } }),
  listContent: after("content"),
  createContent: async () => ({ body: { title: "Tea", variants: [{ content: "One" }] } }),
  changeContent: async ({ content }) => ({ params: { id: await content() }, body: { title: "Coffee" } }),
  deleteContent: async ({ content }) => ({ params: { id: await content() } }),
  take: async ({ content }) => ({ params: { id: await content() }, body: { key: "task-1" } }),
  listTags: async () => ({}),
  listMedia: after("medium"),
  uploadMedium: async () => ({}),
  deleteMedium: async ({ medium }) => ({ params: { id: await medium() } }),
  readMedium: async ({ medium }) => ({ params: { id: await medium(), filename: "a.png" } }),

  pull: after("task"),
  read: async ({ task }) => ({ params: { id: await task() } }),
  start: async ({ task }) => ({ params: { id: await task() } }),
  complete: async ({ task }) => ({ params: { id: await task() }, body: { link_post } }),
  insert: async ({ secondary }) => ({ body: { id: await secondary(), link_post } }),
  account: async ({ task }) => ({ params: { id: await task() }, body: { cookie: "sid=demo" } }),
  fail: async ({ task }) => ({ params: { id: await task() }, body: { error_message: "the upload failed" } }),
  checks: after("check"),
  check: async ({ check }) => ({ params: { id: await check() }, body: { ok: true } }),
};
