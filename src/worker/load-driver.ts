import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { Failure } from "../contract/failures.ts";
import type { DriverCard } from "../contract/task.ts";
import { isDriver, toCard } from "../driver/define-driver.ts";
import { scriptsOf } from "../driver/define-script.ts";
import type { Driver } from "../driver/contract.ts";

/** Users' drivers lie outside the package, without node_modules beside them, and say `import … from "podcrew/driver"`. */
const ownBarrel = new URL(`../driver/index${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url).href;
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "podcrew/driver") return { url: ownBarrel, shortCircuit: true };
    // It is where it was kept, also when the file itself is gone.
    if (copyOf(specifier)) return { url: specifier, shortCircuit: true };
    const copy = copyOf(context.parentURL);
    if (!copy || !specifier.startsWith("./")) return next(specifier, context);
    // What a kept driver imports from beside it was kept with it.
    const kept = new URL(specifier, copy);
    if (!existsSync(kept)) return next(specifier, context);
    const beside = new URL(specifier, context.parentURL);
    beside.searchParams.set("copy", kept.href);
    return { url: beside.href, shortCircuit: true };
  },
  load: (url, context, next) => next(copyOf(url) ?? url, context),
});

/** Where the content of a driver with `?copy=` is kept: the coordinator keeps each state that it uses, and files change. */
function copyOf(url: string | undefined): string | null {
  return url && URL.canParse(url) ? new URL(url).searchParams.get("copy") : null;
}

/** @param module the driver file's address; each is evaluated once per thread. @throws Failure farm.bug */
export async function loadDriver(module: string): Promise<Driver> {
  const loaded = (await import(module)) as { default?: unknown };
  if (!isDriver(loaded.default)) throw new Failure("farm.bug", `${module} has no default export made by defineDriver()`);
  return loaded.default;
}

/** What is in each file, and what is wrong with those that can't be used. */
export async function describeDrivers(
  modules: readonly string[],
): Promise<{ cards: DriverCard[]; problems: { module: string; message: string }[] }> {
  const cards: DriverCard[] = [];
  const problems: { module: string; message: string }[] = [];
  for (const module of modules) {
    try {
      const card = toCard(await loadDriver(module), module);
      const scripts = Object.keys(scriptsOf(((await import(module)) as { scripts?: unknown }).scripts));
      cards.push(scripts.length > 0 ? { ...card, scripts } : card);
    } catch (error) {
      problems.push({ module, message: error instanceof Failure ? error.detail : error instanceof Error ? error.message : String(error) });
    }
  }
  return { cards, problems };
}
