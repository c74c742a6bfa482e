/** A pattern of LIKE for texts that hold this one somewhere, where % and _ are only themselves. */
export function holding(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
}
