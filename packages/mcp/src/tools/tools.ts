// All tools, in the order in which models see them, and which of them a token is shown.
import type { Principal } from '@hypercode/registry';
import { declaredProcedure } from '@hypercode/server';
import { administrationTools } from './administration-tools.ts';
import { findAgents, getAgent, join, leave, whoami } from './agent-tools.ts';
import { askAgent, askPerson } from './ask-tools.ts';
import { explain, publish, readEvents, traceEvent, waitForEvents } from './event-tools.ts';
import { getPlan, submitGoal } from './goal-tools.ts';
import type { Tool } from './tool.ts';
import { ackWork, claimWork, extendWork, nackWork } from './work-tools.ts';

export const tools: readonly Tool[] = [
  whoami,
  join,
  leave,
  findAgents,
  getAgent,
  publish,
  readEvents,
  waitForEvents,
  claimWork,
  extendWork,
  ackWork,
  nackWork,
  askAgent,
  askPerson,
  submitGoal,
  getPlan,
  explain,
  traceEvent,
  ...administrationTools,
];

const byName: ReadonlyMap<string, Tool> = new Map(tools.map((tool) => [tool.name, tool]));

export const toolOf = (name: string): Tool | undefined => byName.get(name);

/** Whether a token may use the tool, with a request that asks for administration or not: a join token also uses, as an agent that it has made, what agents may. */
export function isFor(
  { kinds, calls, withoutAgent, administration }: Tool,
  { kind }: Pick<Principal, 'kind'>,
  { administers }: { readonly administers: boolean },
): boolean {
  if (administration === true && !administers) return false;
  const may = (caller: Principal['kind']): boolean =>
    (kinds === undefined || kinds.includes(caller)) &&
    calls.every((name) => declaredProcedure(name)?.rights[caller] !== undefined);
  return may(kind) || (kind === 'join' && withoutAgent !== true && may('agent'));
}
