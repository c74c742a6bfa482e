import type { Locator, Page } from "playwright";

/** One use of a locator (or of an address that is waited for) by a driver. */
export interface Use {
  /** As Playwright writes it: `getByLabel('Title')`. */
  locator: string;
  /** The method, such as "fill" or "isVisible". */
  action: string;
}

export interface Watcher {
  /** Runs in place of the method; `act` is the method itself. */
  use(use: Use, act: () => Promise<unknown>, raw: Locator | null): Promise<unknown>;
}

const makers = /^(locator|frameLocator|contentFrame|owner|getBy\w+|first|last|nth|filter|and|or)$/;
/** Questions and plain facts: nothing is waited for. */
const silent = new Set(["page", "toString", "describe", "description", "all", "elementHandles", "highlight", "then"]);
const originals = new WeakMap<object, object>();

/** The locator as Playwright made it: what is done with it goes by no watcher. */
export function unwatched(locator: Locator): Locator {
  return (originals.get(locator) as Locator | undefined) ?? locator;
}

/** What a driver made with a watched page goes back into Playwright as it was made there. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const original = originals.get(value);
  if (original) return original;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

type Method = (...given: unknown[]) => unknown;

/** The page as it is, with each use of a locator going by the watcher. */
export function watchPage(page: Page, watcher: Watcher): Page {
  return wrap(page, (name, call) => {
    if (makers.test(name)) return (...given) => watchLocator(call(...given.map(plain)) as Locator, watcher);
    if (name === "waitForURL")
      return async (...given) => watcher.use({ locator: `address ${String(given[0])}`, action: name }, async () => call(...given), null);
    return (...given) => call(...given.map(plain));
  });
}

function watchLocator(locator: Locator, watcher: Watcher): Locator {
  return wrap(locator, (name, call) => {
    if (makers.test(name)) return (...given) => watchLocator(call(...given.map(plain)) as Locator, watcher);
    if (silent.has(name)) return (...given) => call(...given);
    return async (...given) => watcher.use({ locator: locator.toString(), action: name }, async () => call(...given.map(plain)), locator);
  });
}

function wrap<T extends object>(target: T, method: (name: string, call: Method) => Method): T {
  const proxy = new Proxy(target, {
    get(of, name): unknown {
      const value: unknown = Reflect.get(of, name, of);
      // Playwright's own parts of an object are not the driver's business.
      if (typeof value !== "function" || typeof name !== "string" || name.startsWith("_") || name === "constructor") return value;
      return method(name, (...given) => (value as Method).apply(of, given));
    },
  });
  originals.set(proxy, target);
  return proxy;
}
