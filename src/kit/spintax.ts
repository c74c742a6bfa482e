/** Braces with no other braces in them. */
const INNERMOST = /\{([^{}]*)\}/g;
const MOST_LEVELS = 20;

/**
 * Text with choices: "{Good|Fine} {morning|{day|evening}}" becomes one of what it can say, up to 20 choices within each other.
 * Braces without a bar are text.
 * @param random in [0, 1)
 */
export function spin(text: string, random: () => number): string {
  let spun = text;
  // What is no choice is put aside, so that it does not hide the one around it.
  const kept: string[] = [];
  for (let level = 0; level < MOST_LEVELS && /\{[^{}]*\}/.test(spun); level += 1)
    spun = spun.replace(INNERMOST, (whole, inside: string) => {
      if (inside.includes("|")) return choose(inside.split("|"), random);
      kept.push(whole);
      return `\0${kept.length - 1}\0`;
    });
  // Braces may have been kept within braces.
  for (let level = 0; level < MOST_LEVELS && spun.includes("\0"); level += 1)
    spun = spun.replace(/\0(\d+)\0/g, (_mark, index: string) => kept[Number(index)] ?? "");
  return spun;
}

function choose(words: readonly string[], random: () => number): string {
  return words[Math.min(words.length - 1, Math.floor(random() * words.length))] ?? "";
}
