import type { StudioContext } from "./context.ts";
import { publish } from "./publishing.ts";
import { Refused } from "./refused.ts";
import { Rounds } from "./rounds.ts";

/** The database may be shared, and somebody else's process may have scheduled: look at least so often. */
const LONGEST_NAP_MS = 30_000;

/** Publishes scheduled episodes at their time. What fell due while nobody ran comes out at the start. */
export class Scheduler extends Rounds {
  readonly #context: StudioContext;

  constructor(context: StudioContext) {
    super(context.clock, LONGEST_NAP_MS);
    this.#context = context;
  }

  protected override async round(): Promise<number> {
    await this.#publishDue();
    return this.#nextDueAt();
  }

  protected override failed(error: unknown): void {
    this.#context.log.error("scheduled episodes could not be looked at; tried again in half a minute", { error: String(error) });
  }

  async #publishDue(): Promise<void> {
    const { db, clock, log } = this.#context;
    const due = await db
      .selectFrom("episodes")
      .innerJoin("shows", "shows.guid", "episodes.parent")
      .innerJoin("productions", "productions.guid", "shows.parent")
      .innerJoin("accounts", "accounts.id", "productions.owner_id")
      .selectAll("shows")
      .select(["episodes.guid as episode", "accounts.email as email"])
      .where("episodes.state", "=", "scheduled")
      .where("episodes.publish_at", "<=", new Date(clock.now()))
      .orderBy("episodes.publish_at")
      .execute();
    for (const { episode, email, ...show } of due) {
      await publish(this.#context, show, episode, email, { onlyScheduled: true }).catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error;
        log.warn("a scheduled episode could not be published", { episode, reason: error.text });
      });
    }
  }

  async #nextDueAt(): Promise<number> {
    const { db, clock } = this.#context;
    const next = await db
      .selectFrom("episodes")
      .select("publish_at")
      .where("state", "=", "scheduled")
      .where("publish_at", ">", new Date(clock.now()))
      .orderBy("publish_at")
      .limit(1)
      .executeTakeFirst();
    return next?.publish_at?.getTime() ?? Infinity;
  }
}
