// Pages of the audit, newest first: the first is read when the screen opens and when the filter changes, the others when they are wanted.
import type { SwarmClient } from '@hypercode/client';
import { type AuditEntry, SwarmError } from '@hypercode/contracts';
import { useCallback, useEffect, useState } from 'react';
import { type Reading, useReading } from '../../swarm/use-reading.ts';

const PAGE = 100;

interface AuditTrail {
  readonly reading: Reading<unknown>;
  readonly entries: readonly AuditEntry[];
  /** Null: there are no older ones, or none was read yet. */
  readonly readOlder: (() => void) | null;
  readonly olderError: SwarmError | null;
}

interface Older {
  readonly key: string;
  readonly entries: readonly AuditEntry[];
  readonly cursor: string | null;
  readonly error: SwarmError | null;
}

interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
}

export function useAuditTrail(client: SwarmClient, { actor, action }: AuditFilter): AuditTrail {
  const filter = { ...(actor !== undefined && { actor }), ...(action !== undefined && { action }) };
  const key = JSON.stringify(filter);
  const reading = useReading(key, (signal) => client.audit.list({ ...filter, limit: PAGE }, { signal }));
  const first = reading.value;
  const [older, setOlder] = useState<Older | null>(null);
  // What was read on from another first page would leave a hole.
  useEffect(() => setOlder(null), [first]);
  const isCurrent = older !== null && older.key === key;
  const cursor = isCurrent ? older.cursor : (first?.nextCursor ?? null);
  const readOlder = useCallback(() => {
    if (cursor === null) return;
    client.audit.list({ ...filter, limit: PAGE, cursor }).then(
      (page) =>
        setOlder((before) => ({
          key,
          entries: [...(before?.key === key ? before.entries : []), ...page.entries],
          cursor: page.nextCursor,
          error: null,
        })),
      (error: unknown) =>
        setOlder((before) => ({
          ...(before?.key === key ? before : { key, entries: [], cursor }),
          error: SwarmError.from(error),
        })),
    );
  }, [client, key, cursor]);
  return {
    reading,
    entries: [...(first?.entries ?? []), ...(isCurrent ? older.entries : [])],
    readOlder: cursor === null ? null : readOlder,
    olderError: isCurrent ? older.error : null,
  };
}
