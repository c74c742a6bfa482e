import { defineDriver, z } from "../src/driver/index.ts";
import { ask, keepToken, SIGN_IN_PATH, tokenOf, upload, uploadRecording } from "./podops/api.ts";
import {
  build,
  copyOf,
  isOut,
  productionOf,
  redrafted,
  resourceOf,
  resourcePath,
  saveDraft,
  showRefusal,
  takenBack,
  undrafted,
} from "./podops/resources.ts";

/**
 * A studio that speaks PodOps, Podcrew's own or another one: posted to by its API, no page is opened. Name yours in SITES.
 *
 * The account's `apiToken` (or `password`) is a token, or the studio's admin key, which is exchanged for a token at the sign-in. Its
 * `username` is the production, where the token sees several; its `email`, where given, is the subject of the token.
 *
 * An episode's resource is called by its marker. It is a draft until the one request that takes that label off; from then on any
 * build brings it out, and so does the one that follows. Whoever looks for one that was let go and not built puts the label back.
 */
export default defineDriver({
  site: "podops",
  hosts: [],
  account: z
    .object({
      username: z.string().optional(),
      email: z.string().optional(),
      password: z.string().optional(),
      apiToken: z.string().optional(),
    })
    .refine(({ apiToken, password }) => apiToken ?? password, {
      path: ["apiToken"],
      error: "it needs a token or the studio's admin key, as apiToken or password",
    }),
  login: "username",
  tier: "drafts",
  post: "request",
  settleMs: 5000,
  concurrency: 8,
  limits: {
    title: { maxCharacters: 200 },
    about: { tags: ["p", "br", "strong", "em", "ul", "ol", "li", "a", "h2", "h3", "blockquote"], maxCharacters: 20_000 },
    audio: { formats: ["mp3", "m4a", "wav"], maxBytes: 500 * 1024 * 1024 },
  },
  refusals: {
    "account.refused": { text: /\S/, within: '[data-status="401"]' },
    "account.incomplete": { text: /production/i, within: '[data-status="404"]' },
    "content.refused": { text: /\S/, within: '[data-status="400"]' },
  },
  signInPage: new RegExp(`${SIGN_IN_PATH}$`),
  publishRequest: { method: "PUT", url: /\/a\/v1\/resource\/[^/]+\/episode\/[^/?]+$/, body: /"draft":"false"/ },

  async isSignedIn(site) {
    const token = await tokenOf(site);
    if (!token) return false;
    const answer = await site.request.get(SIGN_IN_PATH, { headers: { authorization: `Bearer ${token}` } });
    if (answer.ok() || answer.status() === 401) return answer.ok();
    throw new Error(`${SIGN_IN_PATH} was answered with ${answer.status()}`);
  },
  async signIn(site) {
    const { apiToken, password = "", email } = site.account;
    const key = apiToken ?? password;
    if (isToken(key)) {
      const known = await ask(site, "GET", SIGN_IN_PATH, z.object({ exp: z.number() }), { bearer: key });
      return keepToken(site, key, known?.exp ?? -1);
    }
    const data = { scope: SCOPES, ...(email && { subject: email }) };
    const made = await ask(site, "POST", SIGN_IN_PATH, z.object({ token: z.string(), expires_at: z.number() }), { bearer: key, data });
    if (made) await keepToken(site, made.token, made.expires_at);
  },
  async find(site, episode) {
    const production = await productionOf(site);
    const found = await resourceOf(site, production, episode.marker);
    // "Surely none" has to stay true when somebody else's episode is built.
    const stays = found && (await takenBack(site, production, found));
    return stays && isOut(stays) ? [copyOf(stays)] : [];
  },
  async draft(site, episode, draftId) {
    const production = await productionOf(site);
    const known = (draftId && (await resourceOf(site, production, draftId))) || (await resourceOf(site, production, episode.marker));
    // Out by now, whoever did it: nothing is written to it any more.
    if (known && isOut(known)) return known.metadata.guid;
    site.step("upload");
    const audio = await uploadRecording(site, production.name, episode.audioPath);
    const cover = episode.coverPath === null ? null : await upload(site, production.name, episode.coverPath);
    return (await saveDraft(site, production, episode, known, { audio, cover })).metadata.guid;
  },
  async publish(site, episode, draftId) {
    const production = await productionOf(site);
    const draft = await resourceOf(site, production, draftId ?? episode.marker);
    if (!draft) throw new Error("the draft is gone");
    const path = resourcePath(production, draft.metadata.guid);
    await ask(site, "PUT", path, z.unknown(), { data: undrafted(draft) });
    const refusal = await build(site, production);
    if (refusal !== null) {
      // First, for the refusal ends the work: whoever builds next would bring out what counts as refused here.
      await ask(site, "PUT", path, z.unknown(), { data: redrafted(draft) });
      await showRefusal(site, 400, refusal);
      throw new Error("the build was refused; the episode is a draft again");
    }
    const out = await resourceOf(site, production, draft.metadata.guid);
    return out && isOut(out) ? copyOf(out) : undefined;
  },
  async discard(site, _episode, draftId) {
    const production = await productionOf(site);
    const found = await resourceOf(site, production, draftId);
    // A draft first, so that no build brings it out before it is gone.
    const there = found && (await takenBack(site, production, found));
    if (there && !isOut(there)) await ask(site, "DELETE", resourcePath(production, draftId), z.unknown());
  },
  async feed(site) {
    const { guid } = await productionOf(site);
    return `/feeds/${guid}.xml`;
  },
});

const SCOPES = "production:read production:build resource:read resource:write";
/** A token has three parts; an admin key has none. */
const isToken = (key: string): boolean => key.split(".").length === 3;
