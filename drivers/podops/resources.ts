import { readJson, z, type Copy, type Episode } from "../../src/driver/index.ts";
import { ask, send, tokenOf, type Asset, type Site } from "./api.ts";

/** What a production holds, as far as an episode is concerned. */

const production = z.object({ guid: z.string(), name: z.string() });
export type Production = z.output<typeof production>;

const resource = z.looseObject({
  metadata: z.looseObject({ guid: z.string(), name: z.string(), labels: z.record(z.string(), z.string()) }),
  description: z.looseObject({ link: z.object({ uri: z.string() }) }),
  /** draft, waiting (the next build takes it), scheduled, published. */
  state: z.string(),
});
export type Resource = z.output<typeof resource>;

/** The one that the account names, else the only one. */
export async function productionOf(site: Site): Promise<Production> {
  const { username } = site.account;
  const known = (await ask(site, "GET", "/a/v1/productions", z.object({ productions: z.array(production) })))?.productions ?? [];
  const [one, ...more] = username ? known.filter(({ guid, name }) => guid === username || name === username) : known;
  if (one && more.length === 0) return one;
  const names = known.map(({ name }) => name).join(", ") || "none";
  const say = username
    ? `the token sees no production ${username}, but ${names}`
    : `the token sees ${known.length} productions (${names}): name one as the account's username`;
  await showRefusal(site, 404, say);
  throw new Error(say);
}

/** Where `refusals` look. */
export async function showRefusal({ page }: Site, status: number, say: string): Promise<void> {
  await page.setContent(`<pre data-status="${status}"></pre>`);
  await page.locator("pre").evaluate((shown, text) => void (shown.textContent = text), say);
}

export function resourcePath({ name }: Production, id: string): string {
  return `/a/v1/resource/${name}/episode/${id}`;
}

/** @param id a GUID, or a name: an episode of ours is called by its marker */
export async function resourceOf(site: Site, of: Production, id: string): Promise<Resource | null> {
  return ask(site, "GET", resourcePath(of, id), resource);
}

/** Made, or brought to what the episode is now. */
export async function saveDraft(
  site: Site,
  of: Production,
  episode: Episode,
  known: Resource | null,
  { audio, cover }: { audio: Asset; cover: Asset | null },
): Promise<Resource> {
  const pointerTo = ({ name, type, size }: Asset) => ({ uri: name, rel: "local", type, size });
  const data = {
    apiVersion: "v1",
    kind: "episode",
    metadata: { name: episode.marker, labels: { draft: "true", ...(episode.narrated && { narrated: "true" }) } },
    description: { title: episode.title, summary: episode.aboutHtml, duration: episode.audioSeconds },
    enclosure: { ...pointerTo(audio), duration: episode.audioSeconds },
    ...(cover && { image: pointerTo(cover) }),
  };
  const path = resourcePath(of, known?.metadata.guid ?? episode.marker);
  const saved = await ask(site, known ? "PUT" : "POST", path, resource, { data });
  if (!saved) throw new Error(`${path} is gone`);
  return saved;
}

/** A clock that runs ahead of the studio's must schedule nothing. */
const CLOCK_TOLERANCE_S = 60;

/** The same without its draft's label: the next build takes it. Its date is that of its publishing, its page the studio's own. */
export function undrafted(draft: Resource): object {
  const { state: _state, metadata, description, ...files } = draft;
  const { date: _date, ...kept } = metadata;
  const { link: _link, ...texts } = description;
  const date = isOut(draft) ? {} : { date: Math.floor(Date.now() / 1000) - CLOCK_TOLERANCE_S };
  return { ...files, metadata: { ...kept, ...date, labels: { ...metadata.labels, draft: "false" } }, description: texts };
}

/** As it was before: a draft, which no build takes. */
export function redrafted(draft: Resource): object {
  const { state: _state, metadata, description, ...files } = draft;
  const { link: _link, ...texts } = description;
  return { ...files, metadata: { ...metadata, labels: { ...metadata.labels, draft: "true" } }, description: texts };
}

/**
 * Of what was let go and never built: makes it a draft again, which nobody's next build brings out.
 * @returns what is there then, which may be out; null: nothing
 * @throws Error where it may still come out
 */
export async function takenBack(site: Site, of: Production, found: Resource): Promise<Resource | null> {
  if (found.state !== "waiting") return found;
  const path = resourcePath(of, found.metadata.guid);
  const answer = await send(site, "PUT", path, { data: redrafted(found) });
  const now = await resourceOf(site, of, found.metadata.guid);
  if (now?.state !== "waiting") return now;
  throw new Error(`${path} waits for a build and can't be made a draft: ${answer.status()} ${await answer.text()}`);
}

/** @returns what keeps the production from being built; null: it is built */
export async function build(site: Site, { guid }: Production): Promise<string | null> {
  const headers = { authorization: `Bearer ${await tokenOf(site)}` };
  const answer = await site.request.post("/a/v1/build", { headers, data: { guid } });
  if (answer.status() === 400) return answer.text();
  await readJson(site, answer, z.unknown());
  return null;
}

export function isOut({ state }: Resource): boolean {
  return state === "published" || state === "scheduled";
}

export function copyOf({ metadata, description }: Resource): Copy {
  return { id: metadata.guid, link: description.link.uri };
}
