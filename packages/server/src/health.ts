// Whether the process lives, and whether it can do its work.
import { type Clock, within } from '@hypercode/clock';
import type { Surface } from './surface.ts';

/** Each check rejects when its part does not answer; it may answer with a warning. */
export type HealthChecks = Record<string, () => Promise<string | null | void>>;

/** A check that takes longer has failed, in milliseconds. */
const CHECK_TIMEOUT_MS = 2000;

/** `GET /healthz` and `GET /readyz`, without a token. */
export const healthSurface =
  (checks: HealthChecks): Surface =>
  (app, { core: { clock, draining } }) => {
    app.get('/healthz', async () => ({ status: 'ok' }));

    // Anybody may ask, and the stores are asked once at a time.
    let asked: Promise<(readonly [string, Outcome])[]> | null = null;
    const ask = () => {
      asked ??= Promise.all(
        Object.entries(checks).map(async ([name, check]) => [name, await outcomeOf(clock, check)] as const),
      ).finally(() => {
        asked = null;
      });
      return asked;
    };

    app.get('/readyz', async (_request, reply) => {
      const results = await ask();
      const failed = results.filter(([, { isOk }]) => !isOk).map(([name]) => name);
      const warnings = results.flatMap(([name, { warning }]) => (warning === null ? [] : [`${name}: ${warning}`]));
      const reason = draining.aborted
        ? 'shutting down'
        : failed.length > 0
          ? `does not answer: ${failed.join(', ')}`
          : null;
      const body = {
        status: reason === null ? 'ok' : 'unavailable',
        reason,
        checks: Object.fromEntries(results.map(([name, { isOk }]) => [name, isOk ? 'ok' : 'failed'])),
        warnings,
      };
      return reply.code(reason === null ? 200 : 503).send(body);
    });
  };

interface Outcome {
  isOk: boolean;
  warning: string | null;
}

async function outcomeOf(clock: Clock, check: HealthChecks[string]): Promise<Outcome> {
  try {
    const answer = within(clock, CHECK_TIMEOUT_MS, { work: check(), timeout: () => new Error('timeout') });
    return { isOk: true, warning: (await answer) ?? null };
  } catch {
    return { isOk: false, warning: null };
  }
}
