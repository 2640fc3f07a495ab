// What a consumer group itself shows of what it holds, read page by page.
import type { SwarmClient } from '@hypercode/client';
import type { DeadLetter, GroupInfo, OpenDelivery } from '@hypercode/contracts';

export interface GroupView {
  readonly info: GroupInfo;
  /** By position. */
  readonly open: ReadonlyMap<string, OpenDelivery>;
  readonly dead: ReadonlyMap<string, DeadLetter>;
}

/** Of a group in which nothing changes meanwhile. */
export async function viewOf(client: SwarmClient, group: string): Promise<GroupView> {
  const open: OpenDelivery[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await client.groups.get({ group, limit: 500, ...(cursor === undefined ? {} : { cursor }) });
    open.push(...page.open);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  const dead: DeadLetter[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await client.bus.deadLetters({ group, limit: 500, ...(cursor === undefined ? {} : { cursor }) });
    dead.push(...page.deadLetters);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  const { group: info } = await client.groups.get({ group, limit: 1 });
  return {
    info,
    open: new Map(open.map((one) => [one.position, one])),
    dead: new Map(dead.map((one) => [one.position, one])),
  };
}
