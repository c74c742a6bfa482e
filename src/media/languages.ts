/** What the built-in voice speaks, as it spells it. */
const spoken = new Set(
  "af am an ar as az ba be bg bn bpy bs ca cmn cs cv cy da de el en en-029 en-gb en-gb-scotland en-us eo es es-419 et eu fa fa-latn fi fo fr fr-be fr-ch ga gd gn grc gu hak haw he hi hr ht hu hy hyw ia id io is it ja jbo ka kaa kk kl kn ko kok ku ky la lb lfn lt ltg lv mi mk ml mr ms mt my nb nci ne nl no nog om or pa pap pl pt pt-br qu quc ro ru sd shn si sk sl smj sq sr sv sw ta te th ti tk tn tr tt ug uk ur uz vi vi-vn-x-central vi-vn-x-south yue zh".split(
    " ",
  ),
);
const aliases: Readonly<Record<string, string>> = {
  zh: "cmn",
  "zh-cn": "cmn",
  "zh-tw": "cmn",
  "zh-hk": "yue",
  iw: "he",
  in: "id",
  "en-uk": "en-gb",
};

/** Letters that only Vietnamese uses: đ, ơ, ư, and vowels with hook, dot below or two marks. */
const vietnamese = /[đơưĐƠƯ\u1EA0-\u1EF9]/g;
const MIN_VIETNAMESE_SHARE = 0.01;

/** "vi" where the text is written in Vietnamese letters (also decomposed), else "en". */
export function guessLanguage(text: string): "vi" | "en" {
  const letters = text.slice(0, 20_000).normalize("NFC").match(/\p{L}/gu)?.length ?? 0;
  const found = text.slice(0, 20_000).normalize("NFC").match(vietnamese)?.length ?? 0;
  return letters > 0 && found / letters >= MIN_VIETNAMESE_SHARE ? "vi" : "en";
}

/**
 * The language in which a text is read.
 * @param wanted as given with the episode: BCP 47 ("vi-VN", "en_US") or ""; unknown ones are guessed from the text
 */
export function chooseLanguage(wanted: string, text: string): { language: string; guessedFor: string | null } {
  const tag = wanted.trim().toLowerCase().replaceAll("_", "-");
  if (tag === "") return { language: guessLanguage(text), guessedFor: null };
  for (const candidate of [tag, tag.split("-")[0] ?? ""]) {
    const language = aliases[candidate] ?? candidate;
    if (spoken.has(language)) return { language, guessedFor: null };
  }
  return { language: guessLanguage(text), guessedFor: wanted.trim() };
}
