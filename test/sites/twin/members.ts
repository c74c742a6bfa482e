import { randomBytes, randomInt } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Letter, Mail } from "./mail.ts";

/** Somebody who has an account. */
export interface Member {
  email: string;
  password: string;
  /** Gets a code by e-mail at each sign-in. */
  mailedCode?: boolean;
  /** Meets a page that asks for a human instead of coming in. */
  suspicious?: boolean;
}

/** What a password leads to. "locked": too many wrong ones, the right one counts no more for a while. */
export type Entrance = "in" | "code" | "wrong" | "locked" | "challenge";

export interface MembersOptions {
  mail: Mail;
  /** The letter that carries a code. */
  letter(code: string): Omit<Letter, "to">;
  /** Wrong passwords until the account locks. */
  lockAfter?: number;
  lockedMs?: number;
  codeLivesMs?: number;
}

interface Session {
  member: Member;
  stage: "in" | "code";
}

const COOKIE = "twin_session";

/** Accounts, sign-ins and sessions of a twin. Every try is written down, in `tries`. */
export class Members {
  readonly tries: { at: number; email: string; entrance: Entrance }[] = [];
  readonly #options: Required<MembersOptions>;
  readonly #members = new Map<string, Member>();
  readonly #sessions = new Map<string, Session>();
  readonly #wrong = new Map<string, { count: number; at: number }>();
  readonly #codes = new Map<string, { code: string; until: number }>();

  constructor(options: MembersOptions) {
    this.#options = { lockAfter: 5, lockedMs: 15 * 60_000, codeLivesMs: 10 * 60_000, ...options };
  }

  add(member: Member): Member {
    this.#members.set(member.email, member);
    return member;
  }

  find(email: string): Member | null {
    return this.#members.get(email) ?? null;
  }

  /** The visitor's account; null when nobody is signed in, or the code is still to come. */
  of(request: FastifyRequest): Member | null {
    const session = this.#session(request);
    return session?.stage === "in" ? session.member : null;
  }

  /** Who has given the password and owes the code. */
  owing(request: FastifyRequest): Member | null {
    const session = this.#session(request);
    return session?.stage === "code" ? session.member : null;
  }

  /** For routes of members: pages lead to the sign-in, calls are answered 401. */
  guard(signInPath: string): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
    return async (request, reply) => {
      if (this.of(request)) return;
      const isPage = (request.headers.accept ?? "").includes("text/html");
      await (isPage ? reply.redirect(signInPath) : reply.code(401).send({ message: "signed out" }));
    };
  }

  /**
   * Judges a password; opens a session, or half of one and mails the code.
   * @param codeToo false where a password is enough also for those who get codes
   */
  async enter(reply: FastifyReply, email: string, password: string, { codeToo = true } = {}): Promise<Entrance> {
    const judged = this.#judge(email, password);
    const entrance = judged === "code" && !codeToo ? "in" : judged;
    this.tries.push({ at: Date.now(), email, entrance });
    const member = this.#members.get(email);
    if (member && entrance === "code") await this.mailCode(member);
    if (member && (entrance === "in" || entrance === "code")) this.open(reply, member, entrance);
    return entrance;
  }

  /** A new code makes the one before worthless. */
  async mailCode(member: Member): Promise<void> {
    const code = String(randomInt(1_000_000)).padStart(6, "0");
    this.#codes.set(member.email, { code, until: Date.now() + this.#options.codeLivesMs });
    await this.#options.mail.send({ ...this.#options.letter(code), to: member.email });
  }

  /** Whether this is the newest code; it counts once. */
  takeCode(member: Member, code: string): boolean {
    const kept = this.#codes.get(member.email);
    if (!kept || kept.code !== code || kept.until < Date.now()) return false;
    return this.#codes.delete(member.email);
  }

  open(reply: FastifyReply, member: Member, stage: Session["stage"]): void {
    const id = randomBytes(16).toString("hex");
    this.#sessions.set(id, { member, stage });
    reply.setCookie(COOKIE, id, { path: "/", httpOnly: true, sameSite: "lax" });
  }

  /** As if somebody had guessed too often. */
  lock(email: string): void {
    this.#wrong.set(email, { count: this.#options.lockAfter, at: Date.now() });
  }

  /** All sessions end, as after a restart of the real site. */
  signOutAll(): void {
    this.#sessions.clear();
  }

  #session(request: FastifyRequest): Session | null {
    return this.#sessions.get(request.cookies[COOKIE] ?? "") ?? null;
  }

  #judge(email: string, password: string): Entrance {
    const { lockAfter, lockedMs } = this.#options;
    const wrong = this.#wrong.get(email);
    if (wrong && wrong.count >= lockAfter && Date.now() - wrong.at < lockedMs) return "locked";
    const member = this.#members.get(email);
    if (!member || member.password !== password) {
      this.#wrong.set(email, { count: (wrong?.count ?? 0) + 1, at: Date.now() });
      return "wrong";
    }
    this.#wrong.delete(email);
    if (member.suspicious) return "challenge";
    return member.mailedCode ? "code" : "in";
  }
}
