import { freshDatabase, postgresMissing } from "../../../test/support/postgres.ts";
import { measureImports } from "./imports.ts";
import { callLists, callPulls, compareLists } from "./lists.ts";
import { measureRaces } from "./races.ts";
import { measureReads } from "./reads.ts";
import { renderRows, type Row } from "./report.ts";
import { withScene, type Scene } from "./scene.ts";
import { seedLinks } from "./seed.ts";
import { fullSizes, quickSizes, type Sizes } from "./sizes.ts";

const measures: Readonly<Record<string, (scene: Scene, sizes: Sizes) => Promise<Row[]>>> = {
  reads: measureReads,
  imports: measureImports,
  races: measureRaces,
  lists: measureLists,
};
export const managerParts = Object.keys(measures);

/**
 * What the manager can do, on PGlite and on PostgreSQL (Debian's, with its own small settings; without it PGlite alone).
 * @param parts of `managerParts`; none: all of them
 * @returns the report, and whether nothing was wrong; a missed goal is not wrong
 */
export async function benchManager(
  folder: string,
  { parts, quick, json }: { parts: readonly string[]; quick: boolean; json: boolean },
): Promise<{ report: string; right: boolean }> {
  const sizes = quick ? quickSizes : fullSizes;
  const rows: Row[] = [];
  for (const databaseUrl of [undefined, ...(postgresMissing ? [] : [await freshDatabase()])]) {
    await withScene(folder, databaseUrl, async (scene) => {
      for (const [name, measure] of Object.entries(measures)) {
        if (parts.length > 0 && !parts.includes(name)) continue;
        scene.say(`${name} …`);
        rows.push(...(await measure(scene, sizes)));
      }
    });
  }
  const told = compareImports(rows);
  const notes = [...(quick ? ["tiny sizes, whose times say nothing"] : []), ...(postgresMissing ? [postgresMissing] : [])];
  return {
    report: json ? JSON.stringify({ quick, notes, rows: told }, null, 2) : renderRows(told, notes),
    right: told.every(({ overspent = 0 }) => overspent === 0),
  };
}

/** With few links and then with many beside them. */
async function measureLists(scene: Scene, sizes: Sizes): Promise<Row[]> {
  const measure = async (label: string, links: number) => {
    const seeded = await seedLinks(scene, label, links);
    return new Map([...(await callLists(scene, seeded, sizes)), ...(await callPulls(scene, label, sizes))]);
  };
  const few = await measure("few", sizes.fewLinks);
  return compareLists(scene, sizes, few, await measure("many", sizes.manyLinks[scene.backend]));
}

/** PGlite's import beside PostgreSQL's. */
function compareImports(rows: readonly Row[]): Row[] {
  const isImport = ({ what }: Row): boolean => what.startsWith("import");
  const onPostgres = rows.find((row) => isImport(row) && row.backend === "postgres");
  return rows.map((row) => {
    if (!onPostgres?.perSecond || !row.perSecond || !isImport(row) || row.backend !== "pglite") return row;
    return { ...row, ratio: row.perSecond / onPostgres.perSecond, of: "PostgreSQL" };
  });
}
