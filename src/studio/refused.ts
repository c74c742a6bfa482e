import type { Texts } from "./texts-en.ts";

/** Texts that need nothing filled in. */
export type PlainText = { [K in keyof Texts]: Texts[K] extends string ? K : never }[keyof Texts];

/** The studio says no, in the reader's language. One class for all of them: the text's key is the code. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly text: PlainText;

  constructor(status: number, text: PlainText) {
    super(text);
    this.status = status;
    this.text = text;
  }
}
