import { sql } from "kysely";

/** Of the request `r`: units that links may still bring, in an index of their own. */
export const unitsOpen = sql<number>`(
  select coalesce(sum(p.units - p.units_done), 0)::int from manager.links p
  where p.request_id = r.id and p.kind = 'primary' and p.state in ('waiting', 'claimed', 'running', 'needs_person', 'unsure'))`;

/** Whether some may. */
export const isOpen = sql<boolean>`exists (
  select from manager.links p
  where p.request_id = r.id and p.kind = 'primary' and p.state in ('waiting', 'claimed', 'running', 'needs_person', 'unsure'))`;

/** Credits that were taken for it and not given back. */
export const creditsHeld = sql<number>`(
  select coalesce(-sum(c.amount), 0)::bigint from manager.credits c where c.request_id = r.id)`;
