import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A site of one account with a sign-in, drafts and a publish button, small enough to be bad in any way a test needs. */
export interface TinySite {
  origin: string;
  /** Every request that came in over the wire, e.g. "POST /api/episodes/1/publish". */
  wire: string[];
  episodes: { id: string; title: string; marker: string; about: string; published: boolean }[];
  signIns: number;
  /** The connection that each publish request came over. */
  publishedOver: Socket[];
  /** Live: counts from the next request on. */
  behaviour: {
    /** What becomes of a publish request. `drop`: handled, then the socket is cut without an answer. */
    publish: "ok" | "drop" | "refuse" | "fail" | "sign-in" | "conflict";
    password: string;
    /** `stuck`: the button does nothing, and what was typed stays where it was typed. */
    loginPage: "form" | "challenge" | "locked" | "renamed" | "stuck";
    /** Answers every page with 503. */
    down: boolean;
    /** The page presses its own publish request twice. */
    doubleClick: boolean;
    /** The page sends its publish request again so long after it was answered, ms; 0: never. */
    sendsAgainAfterMs: number;
    /** Requests to this path are never answered. */
    hangsAt: string;
    popUp: boolean;
    /** A form that is posted and redirected instead of a script. */
    plainForm: boolean;
  };
  /** Forgets all sessions, after so many more requests. */
  expireAfter(requests: number): void;
  /** Called when a publish request has arrived, before it is handled. */
  onPublish: (() => Promise<void> | void) | null;
  close(): Promise<void>;
}

export async function openTinySite(): Promise<TinySite> {
  const sessions = new Set<string>();
  const sockets = new Set<Socket>();
  let expiresIn = Number.POSITIVE_INFINITY;
  const site: TinySite = {
    origin: "",
    wire: [],
    episodes: [],
    signIns: 0,
    publishedOver: [],
    behaviour: {
      publish: "ok",
      password: "demo-password",
      loginPage: "form",
      down: false,
      doubleClick: false,
      sendsAgainAfterMs: 0,
      hangsAt: "",
      popUp: false,
      plainForm: false,
    },
    expireAfter: (requests) => (expiresIn = requests),
    onPublish: null,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };

  const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  site.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return site;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", site.origin);
    site.wire.push(`${request.method} ${url.pathname}`);
    const body = await read(request);
    if (url.pathname === site.behaviour.hangsAt) return;
    if (site.behaviour.down) return page(response, "<h1>Service unavailable</h1>", 503);
    if (url.pathname === "/login") return login(request, response, new URLSearchParams(body));
    if (url.pathname.startsWith("/e/"))
      return page(response, `<h1>${site.episodes.find(({ id }) => url.pathname === `/e/${id}`)?.title ?? "none"}</h1>`);
    if (url.pathname === "/feed.xml")
      return end(
        response,
        200,
        `<rss>${site.episodes
          .filter(({ published }) => published)
          .map(({ title }) => `<title>${escape(title)}</title>`)
          .join("")}</rss>`,
        "application/rss+xml",
      );

    expiresIn -= 1;
    if (expiresIn < 0) {
      sessions.clear();
      expiresIn = Number.POSITIVE_INFINITY;
    }
    const id = /sid=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    if (!sessions.has(id)) {
      if (url.pathname.startsWith("/api/")) return end(response, 401, '{"message":"signed out"}', "application/json");
      return redirect(response, "/login");
    }
    return member(url, request, response, body);
  }

  function login(request: IncomingMessage, response: ServerResponse, form: URLSearchParams): void {
    const { loginPage, password } = site.behaviour;
    if (loginPage === "challenge") return page(response, "<h1>Are you a human?</h1>");
    if (loginPage === "locked") return page(response, '<p role="alert">Too many tries. Come back later.</p>');
    const label = loginPage === "renamed" ? "Passphrase" : "Password";
    const html = (alert: string): string =>
      `${alert}<form method="post"${loginPage === "stuck" ? ' onsubmit="return false"' : ""}><label>E-mail <input name="email"></label><label>${label} <input type="password" name="password"></label><button>Sign in</button></form>`;
    if (request.method !== "POST") return page(response, html(""));
    site.signIns += 1;
    if (form.get("password") !== password) return page(response, html('<p role="alert">The password is wrong.</p>'));
    const id = randomBytes(8).toString("hex");
    sessions.add(id);
    response.setHeader("set-cookie", `sid=${id}; HttpOnly; Path=/`);
    return redirect(response, "/home");
  }

  async function member(url: URL, request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    const key = `${request.method} ${url.pathname.replace(/\/\d+/, "/:id")}`;
    const episode = site.episodes.find(({ id }) => url.pathname.split("/").includes(id));
    if (key === "GET /home") return page(response, "<h1>Home</h1>");
    if (key === "GET /episodes")
      return page(
        response,
        `<h1>Episodes</h1>${site.episodes
          .filter(({ marker }) => marker === url.searchParams.get("q"))
          .map(row)
          .join("")}`,
      );
    if (key === "GET /new") return page(response, editor());
    if (key === "POST /api/drafts") {
      const draft = JSON.parse(body) as { title: string; marker: string; about: string };
      const left = site.episodes.find(({ marker, published }) => marker === draft.marker && !published);
      const kept = left ?? { id: String(site.episodes.length + 1), published: false, ...draft };
      if (!left) site.episodes.push(kept);
      return end(response, 200, JSON.stringify({ id: kept.id }), "application/json");
    }
    if (key === "POST /api/episodes/:id/publish" && episode) return publish(episode, request, response);
    return page(response, "<h1>Not found</h1>", 404);
  }

  async function publish(episode: TinySite["episodes"][number], request: IncomingMessage, response: ServerResponse): Promise<void> {
    site.publishedOver.push(request.socket);
    await site.onPublish?.();
    const { publish: how, plainForm } = site.behaviour;
    if (how === "refuse") return end(response, 422, '{"message":"The title is not allowed here."}', "application/json");
    if (how === "fail") return end(response, 503, '{"message":"try later"}', "application/json");
    if (how === "conflict") return end(response, 409, '{"message":"still saving"}', "application/json");
    if (how === "sign-in") return redirect(response, "/login");
    episode.published = true;
    if (how === "drop") return void request.socket.destroy();
    return plainForm
      ? redirect(response, `/e/${episode.id}`)
      : end(response, 200, JSON.stringify({ link: `/e/${episode.id}` }), "application/json");
  }

  function editor(): string {
    const { doubleClick, sendsAgainAfterMs, plainForm, popUp } = site.behaviour;
    const send = `fetch("/api/episodes/"+id+"/publish",{method:"POST"}).then(async r=>{const b=await r.json();document.querySelector("#said").innerHTML=r.ok?'<a href="'+b.link+'">Public page</a>':'<p role="alert">'+b.message+'</p>'})`;
    const again = sendsAgainAfterMs ? `.then(()=>setTimeout(()=>fetch(form.action,{method:"POST"}),${sendsAgainAfterMs}))` : "";
    return `<h1>New</h1><label>Title <input id="title"></label><label>Marker <input id="marker"></label><label>About <textarea id="about"></textarea></label>
      <button id="save">Save</button><form id="form" method="post"><button id="publish">Publish</button></form><div id="said"></div>
      ${popUp ? '<div role="dialog" aria-label="News" style="position:fixed;inset:0;background:#fff"><button onclick="this.parentElement.remove()">Got it</button></div>' : ""}
      <script>let id;
      save.onclick=async()=>{const v=(n)=>document.getElementById(n).value;const r=await fetch("/api/drafts",{method:"POST",body:JSON.stringify({title:v("title"),marker:v("marker"),about:v("about")})});if(!r.ok)return;id=(await r.json()).id;form.action="/api/episodes/"+id+"/publish";said.textContent="Saved "+id};
      form.onsubmit=(e)=>{${plainForm ? "" : `e.preventDefault();${send}${again};${doubleClick ? send : ""}`}};
      </script>`;
  }
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

const row = ({ id, title, published }: TinySite["episodes"][number]): string =>
  `<p data-id="${id}" data-published="${published}">${escape(title)}</p>`;
const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

function end(response: ServerResponse, status: number, body: string, type: string): void {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8` }).end(body);
}

function page(response: ServerResponse, html: string, status = 200): void {
  end(response, status, `<!doctype html><meta charset="utf-8"><title>Tiny</title><body>${html}`, "text/html");
}

function redirect(response: ServerResponse, to: string): void {
  response.writeHead(303, { location: to }).end();
}
