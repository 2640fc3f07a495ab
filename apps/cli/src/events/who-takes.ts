// What an event waits for in the groups that take it: a group that is paused, or that nobody consumes.
import type { SwarmClient } from '@hypercode/client';
import type { GroupInfo } from '@hypercode/contracts';

export interface GroupNow {
  readonly paused: GroupInfo['paused'];
  readonly members: number;
}

/** Groups that are asked for; a trace of more says no more. */
const MOST = 10;

/** By name, those that the caller may see. Never rejects: it is advice. */
export async function groupsNow(client: SwarmClient, names: readonly string[]): Promise<ReadonlyMap<string, GroupNow>> {
  const seen = await Promise.all(
    names.slice(0, MOST).map(async (group) => {
      const found = await client.groups.get({ group, limit: 1 }).catch(() => null);
      return found === null ? [] : [[group, { paused: found.group.paused, members: found.members.length }] as const];
    }),
  );
  return new Map(seen.flat());
}

/** `paused by eve: maintenance`. */
export const pausedWords = ({ by, reason }: NonNullable<GroupNow['paused']>): string =>
  `paused by ${by}${reason === null ? '' : `: ${reason}`}`;
