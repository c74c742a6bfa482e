import { randomInt } from "node:crypto";

/** Without letters that look like others. */
const LETTERS = "ABCDEFGHKMNPRSTWXY";
const LENGTH = 5;

export interface Challenges {
  /** A new picture's letters for this session; the ones before are worth nothing. */
  ask(sessionId: string): string;
  /** Were the letters given in reverse? Once asked, once answered. */
  solve(sessionId: string, answer: string): boolean;
}

export function createChallenges(): Challenges {
  const asked = new Map<string, string>();
  return {
    ask(sessionId) {
      const letters = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join("");
      asked.set(sessionId, letters);
      return letters;
    },
    solve(sessionId, answer) {
      const letters = asked.get(sessionId);
      asked.delete(sessionId);
      return letters !== undefined && answer.trim().toUpperCase() === [...letters].reverse().join("");
    },
  };
}
