// Whether the process lives, and whether it can do its work.
import type { FastifyInstance } from 'fastify';

/** Each check rejects when its part does not answer; it may answer with a warning. */
export type HealthChecks = Record<string, () => Promise<string | null | void>>;

/** A check that takes longer has failed, in milliseconds. */
const CHECK_TIMEOUT_MS = 2000;

export function addHealthRoutes(app: FastifyInstance, checks: HealthChecks, draining: AbortSignal): void {
  app.get('/healthz', async () => ({ status: 'ok' }));

  // Anybody may ask, and the stores are asked once at a time.
  let asked: Promise<(readonly [string, Outcome])[]> | null = null;
  const ask = () => {
    asked ??= Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await outcomeOf(check)] as const),
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
}

interface Outcome {
  isOk: boolean;
  warning: string | null;
}

async function outcomeOf(check: HealthChecks[string]): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), CHECK_TIMEOUT_MS);
  });
  try {
    return { isOk: true, warning: (await Promise.race([check(), timeout])) ?? null };
  } catch {
    return { isOk: false, warning: null };
  } finally {
    clearTimeout(timer);
  }
}
