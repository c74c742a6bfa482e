import { call } from "../../twin/assets/twin.js";

/** One address for everything, told apart by the operation's name. */
export function operate(operationName, variables) {
  const kind = operationName === "episodes" ? "query" : "mutation";
  return call("POST", "/graphql", { operationName, query: `${kind} ${operationName} { ok }`, variables });
}
