// The entry point of a core: reads the configuration, starts, and drains at SIGTERM or SIGINT.
import { pino } from 'pino';
import { startCore } from '@hypercode/core-runtime';
import { aborted, configOrFail, fail, stopSignal } from '@hypercode/settings';
import { parseConfig } from './config/parse-config.ts';

/** Longest time from the signal to the end of the process, in milliseconds. */
const DRAIN_MS = 15_000;

const isDev = process.argv.includes('--dev');
const config = configOrFail(() => parseConfig(process.env));
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

const stopping = stopSignal(logger, DRAIN_MS);

const core = await startCore({ config, logger, signal: stopping }).catch((error: unknown) => {
  if (stopping.aborted) process.exit(0);
  return fail(error);
});
announce();
await aborted(stopping);
await core.close();
logger.info('stopped');

/** Prints the address of the core. Scripts wait for this line, so it does not depend on the log level. */
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
