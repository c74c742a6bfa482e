const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What is no UUID names nothing; the database would call it an error. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
