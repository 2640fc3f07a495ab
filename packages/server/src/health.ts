// Whether the process lives, and whether it can do its work.
import { type Clock, within } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import type { Surface } from './surface.ts';

/** Each check rejects when its part can not do its work; the message of a SwarmError is shown. It may answer with a warning. */
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
      const failed = results.filter(([, { isOk }]) => !isOk);
      const warnings = results.flatMap(([name, { warning }]) => (warning === null ? [] : [`${name}: ${warning}`]));
      const reason = draining.aborted
        ? 'shutting down'
        : failed.length > 0
          ? failed.map(([name, { why }]) => `${name}: ${why ?? 'does not answer'}`).join('; ')
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
  /** Why it is not, in words that anybody may read. */
  why: string | null;
  warning: string | null;
}

async function outcomeOf(clock: Clock, check: HealthChecks[string]): Promise<Outcome> {
  try {
    const answer = within(clock, CHECK_TIMEOUT_MS, { work: check(), timeout: () => new Error('timeout') });
    return { isOk: true, why: null, warning: (await answer) ?? null };
  } catch (error) {
    // Other errors name hosts and users.
    return { isOk: false, why: error instanceof SwarmError ? error.message : null, warning: null };
  }
}
