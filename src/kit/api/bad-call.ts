/** Why a call is refused before any handler sees it. Each API says so in its own words. */
export type BadCallKind = "no_address" | "nul_character" | "malformed_json";

/** A call that no handler gets. */
export class BadCall extends Error {
  override readonly name = "BadCall";
  readonly kind: BadCallKind;

  constructor(kind: BadCallKind) {
    super(kind);
    this.kind = kind;
  }
}
