/** 127.0.0.0/8, ::1 and localhost speak plain HTTP, so that 80 is their default port. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:|\/|$)/i;
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/**
 * The name under which a site is known everywhere: its host in lower case, with its port where that is not the default.
 * @param website "studio.firstory.me", "https://studio.firstory.me/login" or "http://127.0.0.1:8710"
 * @returns null when it is no address of a web site
 */
export function siteName(website: string): string | null {
  const text = website.trim();
  const address = HAS_SCHEME.test(text) ? text : `${LOOPBACK.test(text) ? "http" : "https"}://${text}`;
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return null;
  return url.host || null;
}
