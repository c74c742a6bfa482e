/** The least value that the share of all does not exceed; NaN of none. @param share 0 to 1 */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
