// The entry point of an Architect: configuration from the environment, then active or standing by in turns, and a clean end at
// SIGTERM or SIGINT.
import { ConfigError } from '@hypercode/settings';
import { pino } from 'pino';
import type { Mode } from './architect.ts';
import { type ArchitectConfig, parseConfig } from './config/parse-config.ts';
import { startArchitect } from './start-architect.ts';

/** An end that takes longer is cut short, in milliseconds. */
const STOP_LIMIT_MS = 20_000;

const config = readConfig();
const isDev = process.argv.includes('--dev');
const logger = pino({
  name: config.name,
  level: config.logLevel,
  ...(isDev
    ? {
        transport: {
          target: 'pino-pretty',
          options: { ignore: 'pid,hostname,name,time', colorize: false, singleLine: true },
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

const stopping = Promise.withResolvers<'stopped'>();
let isStopping = false;
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info({ signal: name }, 'shutting down');
    setTimeout(() => fail(new Error(`shutting down took longer than ${STOP_LIMIT_MS} ms`)), STOP_LIMIT_MS).unref();
    stopping.resolve('stopped');
  });
}

let mode: Mode = config.standby ? 'standby' : 'active';
for (;;) {
  const architect = await startArchitect(config, mode, logger).catch(fail);
  process.stdout.write(`architect ${mode} at ${architect.url}\n`);
  const turn = await Promise.race([architect.turn, stopping.promise]);
  await architect.close();
  if (turn === 'stopped') break;
  // Whoever took the name over has it: to take it back would begin a fight that nobody wins.
  mode = turn === 'fenced' ? 'standby' : 'active';
}
logger.info('stopped');

function readConfig(): ArchitectConfig {
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
