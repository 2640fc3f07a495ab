// How long one turn of probing may take, so that no agent is probed by two at once.

/** Times between two probes of an agent are spread by a tenth. */
const SHORTEST_INTERVAL = 0.9;
/** Left for what a claim and a busy process take. */
const SLACK = 0.1;

/** What a probe may wait and take together, in milliseconds. Its timeout is to be less. */
export const probeTurnMs = (intervalMs: number): number => intervalMs * (SHORTEST_INTERVAL - SLACK);
