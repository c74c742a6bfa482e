/**
 * The rules of the protocol that can be switched off one by one: only by a simulation, which has to notice each. No command
 * and no setting reaches them.
 */
export interface Rules {
  /** 1. Before the click the row says so. */
  armRecord: boolean;
  /** 2. An unknown outcome is doubt, never free again. */
  unknownIsDoubt: boolean;
  /** 3. Nobody looks before nothing can be on its way any more. */
  settle: boolean;
  /** 4. Only the newest holder arms. */
  fence: boolean;
  /** 5. The request is let go only while it is armed by whoever sends it. */
  gate: boolean;
  /** 6. An episode is found again by a mark that nothing else carries. */
  marker: boolean;
  /** 7. Each claim begins with a look at the site, however sure the ledger is. */
  preLook: boolean;
}

export const everyRule: Readonly<Rules> = {
  armRecord: true,
  unknownIsDoubt: true,
  settle: true,
  fence: true,
  gate: true,
  marker: true,
  preLook: true,
};
