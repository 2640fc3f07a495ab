// The entry point of one core: configuration from the environment, start, and a clean end at SIGTERM or SIGINT.
import { pino } from 'pino';
import { startCore } from '@hypercode/core-runtime';
import { ConfigError } from '@hypercode/settings';
import { type CoreConfig, parseConfig } from './config/parse-config.ts';

/** A drain that takes longer is cut short, in milliseconds. */
const DRAIN_MS = 15_000;

const isDev = process.argv.includes('--dev');
const config = readConfig();
const logger = pino({
  level: config.logLevel,
  ...(isDev
    ? {
        transport: {
          target: 'pino-pretty',
          options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss', singleLine: true },
        },
      }
    : {}),
});

process.on('uncaughtException', (error) => {
  logger.fatal({ err: error }, 'uncaught exception');
  fail(error);
});
process.on('unhandledRejection', (error) => {
  logger.fatal({ err: error }, 'unhandled rejection');
  fail(error);
});

const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    if (stopping.signal.aborted) process.exit(1);
    logger.info({ signal: name }, 'shutting down');
    stopping.abort();
  });
}

const core = await startCore({ config, logger, signal: stopping.signal }).catch((error: unknown) => {
  if (stopping.signal.aborted) process.exit(0);
  return fail(error);
});
announce();
if (!stopping.signal.aborted) {
  await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve, { once: true }));
}
setTimeout(() => fail(new Error(`draining took longer than ${DRAIN_MS} ms`)), DRAIN_MS).unref();
await core.close();
logger.info('stopped');

function readConfig(): CoreConfig {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) fail(error);
    throw error;
  }
}

/** Ends the process with one line that says why. */
function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

/** Says where the core is. Scripts wait for this line, so it does not depend on the log's level. */
function announce(): void {
  if (isDev) {
    const tokens = core.dataDir === null ? '' : `\n  tokens    ${core.dataDir}/credentials.json`;
    process.stdout.write(`\n  HyperCode Swarm is listening on ${core.url}${tokens}\n  stop      Ctrl+C\n\n`);
  } else if (logger.isLevelEnabled('info')) {
    logger.info(`listening on ${core.url}`);
  } else {
    process.stdout.write(`listening on ${core.url}\n`);
  }
}
