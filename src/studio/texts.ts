import type { Locale } from "./schema.ts";
import { en, type Texts } from "./texts-en.ts";
import { vi } from "./texts-vi.ts";

/** Every word that a reader sees, once a language. */
export const texts: Readonly<Record<Locale, Texts>> = { en, vi };

/** @param acceptLanguage the header; the first language in it that we speak wins */
export function chooseLocale(asked: string | undefined, acceptLanguage: string | undefined): Locale {
  const wishes = [asked ?? "", ...(acceptLanguage ?? "").split(",")].map((wish) => wish.trim().slice(0, 2).toLowerCase());
  return wishes.find((wish): wish is Locale => Object.hasOwn(texts, wish)) ?? "en";
}
