import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseSync } from "oxc-parser";

/** Who may import whom. A part may always import itself. `drivers` sees only the one file that is public. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  "src/contract": [],
  "src/kit": ["src/contract"],
  "src/store": ["src/contract", "src/kit"],
  "src/media": ["src/contract", "src/kit"],
  "src/driver": ["src/contract", "src/kit"],
  "src/worker": ["src/contract", "src/kit", "src/driver"],
  "src/coordinator": ["src/contract", "src/kit", "src/store", "src/media"],
  "src/manager": ["src/contract", "src/kit", "src/store"],
  "src/studio": ["src/contract", "src/kit", "src/store", "src/media"],
  "src/dashboard": ["src/contract"],
  // All but the worker, which it reaches by address only: a browser library never loads into the main thread's parts by accident.
  "src/cli": [
    "src/contract",
    "src/kit",
    "src/store",
    "src/media",
    "src/driver",
    "src/coordinator",
    "src/manager",
    "src/studio",
    "src/dashboard",
  ],
  drivers: ["src/driver/index.ts"],
};

/** The page may know the shapes, not the code. */
const typesOnly = new Set(["src/dashboard"]);
/** The one file that may hand on what others made. */
const publicBarrel = "src/driver/index.ts";

interface Import {
  from: string;
  /** Project path of one of our files, or what stands in the import where it is somebody else's. */
  to: string;
  ours: boolean;
  typeOnly: boolean;
  handsOn: boolean;
}

function partOf(file: string): string | undefined {
  return Object.keys(layers).find((part) => file.startsWith(`${part}/`));
}

function importsOf(root: string, file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const { module, errors } = parseSync(file, text);
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`);
  const make = (target: string, typeOnly: boolean, handsOn: boolean): Import => {
    const ours = target.startsWith(".") || target.startsWith("/");
    return { from: file, to: ours ? relative(root, resolve(root, dirname(file), target)) : target, ours, typeOnly, handsOn };
  };
  const still = module.staticImports.map((one) =>
    make(one.moduleRequest.value, one.entries.length > 0 && one.entries.every((entry) => entry.isType), false),
  );
  const handed = module.staticExports.flatMap((one) =>
    one.entries.filter((entry) => entry.moduleRequest).map((entry) => make(entry.moduleRequest!.value, entry.isType, true)),
  );
  const dynamic = module.dynamicImports.flatMap((one) => {
    const written = /^["'](.*)["']$/s.exec(text.slice(one.moduleRequest.start, one.moduleRequest.end));
    // An import of a computed address is the loader of users' files; nothing of ours is named there.
    return written?.[1] ? [make(written[1], false, false)] : [];
  });
  return [...still, ...handed, ...dynamic];
}

function layerProblem({ from, to, ours, typeOnly }: Import): string | null {
  const part = partOf(from);
  if (!part) return null;
  if (!ours) return null;
  const target = partOf(to);
  if (target === part) return null;
  const allowed = layers[part] ?? [];
  const fine = allowed.some((one) => to === one || to.startsWith(`${one}/`));
  if (!fine) return `${from} imports ${to}: ${part} may import ${allowed.join(", ") || "nothing of ours"}`;
  return typesOnly.has(part) && !typeOnly ? `${from} imports ${to}: ${part} may import types only` : null;
}

/** Every group of files that import each other in a ring (Tarjan). Types count too: they tie readers as code ties machines. */
function cycles(imports: readonly Import[]): string[] {
  const next = Map.groupBy(
    imports.filter((one) => one.ours),
    (one) => one.from,
  );
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const rings: string[] = [];
  const visit = (file: string): void => {
    const mine = index.size;
    index.set(file, mine);
    low.set(file, mine);
    stack.push(file);
    for (const { to } of next.get(file) ?? []) {
      if (!index.has(to)) {
        visit(to);
        low.set(file, Math.min(low.get(file)!, low.get(to)!));
      } else if (stack.includes(to)) low.set(file, Math.min(low.get(file)!, index.get(to)!));
    }
    if (low.get(file) !== mine) return;
    const ring = stack.splice(stack.indexOf(file));
    if (ring.length > 1) rings.push(`import cycle: ${ring.toSorted().join(" <-> ")}`);
  };
  for (const file of next.keys()) if (!index.has(file)) visit(file);
  return rings;
}

/** @returns every breach of the architecture under `root`, one sentence each */
export function architectureProblems(root: string): string[] {
  const files = globSync("{src,drivers}/**/*.ts", { cwd: root }).toSorted();
  const imports = files.flatMap((file) => importsOf(root, file));
  return [
    ...files
      .filter((file) => file.startsWith("src/") && !partOf(file))
      .map((file) => `${file}: no part of that name is in the table of scripts/architecture.ts`),
    ...imports.map(layerProblem).filter((problem) => problem !== null),
    ...imports
      .filter((one) => one.handsOn && one.ours && one.from !== publicBarrel)
      .map((one) => `${one.from} hands on ${one.to}: import it where it is made; the only barrel is ${publicBarrel}`),
    ...imports.filter((one) => one.ours && one.to.startsWith("..")).map((one) => `${one.from} imports ${one.to}, outside the project`),
    ...cycles(imports),
  ];
}
