// How much of each agent a query or a watch gives: everything, or a summary that stays small however much agents declare.
import { z } from 'zod';
import { Agent, Capability } from './agent.ts';

/**
 * - `full`: the agent as it is.
 * - `summary`: of each capability its id and its tags, and no topics.
 */
export const AgentView = z.enum(['full', 'summary']);
export type AgentView = z.infer<typeof AgentView>;

/** The field of an input that asks for a view. */
export const inView = {
  view: AgentView.default('full').describe(
    'How much of each agent is given: `full`, or `summary`: of each capability its id and tags, and no topics.',
  ),
};

export const CapabilitySummary = Capability.pick({ id: true, tags: true }).meta({ id: 'CapabilitySummary' });
export type CapabilitySummary = z.infer<typeof CapabilitySummary>;

/** An agent without what it declares at length. */
export const AgentSummary = z
  .object({ ...Agent.omit({ topics: true }).shape, capabilities: z.array(CapabilitySummary) })
  .meta({ id: 'AgentSummary' });
export type AgentSummary = z.infer<typeof AgentSummary>;

/** An agent as a view gives it. */
export type AgentIn<View extends AgentView> = { full: Agent; summary: AgentSummary }[View];

/** The summary of an agent. */
export function summaryOf({ topics: _, ...agent }: Agent): AgentSummary {
  const capabilities = agent.capabilities.map(({ id, tags }) => (tags === undefined ? { id } : { id, tags }));
  return { ...agent, capabilities };
}

/**
 * What a call with a view answers. Its type is that of the full view, which is the default: a caller that asks for no view reads it
 * without a check. A client that knows the view that it asked for narrows the type (`AgentIn`).
 */
export const inEachView = <Full extends z.ZodType>(full: Full, summary: z.ZodType): Full =>
  z.union([full, summary]) as unknown as Full;
