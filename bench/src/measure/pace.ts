// Sends at a fixed rate, whether answers come or not, as many independent callers would.
import { setTimeout as delay } from 'node:timers/promises';

export interface Pace {
  perSecond: number;
  total: number;
}

/** Calls `send` for 0 to `total` - 1. Resolves when all have been answered; rejects when one of them was refused. */
export async function atPace({ perSecond, total }: Pace, send: (index: number) => Promise<unknown>): Promise<void> {
  const pending: Promise<void>[] = [];
  let failure: unknown;
  const started = performance.now();
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * perSecond));
    for (; sent < due; sent++) {
      const answered = send(sent).then(
        () => undefined,
        (error: unknown) => void (failure ??= error),
      );
      pending.push(answered);
    }
    await delay(1);
  }
  await Promise.all(pending);
  if (failure !== undefined) throw new Error('Something that was sent at a fixed rate failed', { cause: failure });
}
