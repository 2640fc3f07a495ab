// The entry point of an Architect: reads the configuration, is active or on standby in turns, and stops at SIGTERM or
// SIGINT.
import { aborted, configOrFail, fail, stopSignal } from '@hypercode/settings';
import { pino } from 'pino';
import type { Mode } from './architect.ts';
import { parseConfig } from './config/parse-config.ts';
import { startArchitect } from './start-architect.ts';

/** Longest time from the signal to the end of the process, in milliseconds. */
const STOP_LIMIT_MS = 20_000;

const config = configOrFail(() => parseConfig(process.env));
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

const stopping = stopSignal(logger, STOP_LIMIT_MS);
const stopped = aborted(stopping).then(() => 'stopped' as const);
let mode: Mode = config.standby ? 'standby' : 'active';
for (;;) {
  const architect = await startArchitect(config, mode, logger).catch(fail);
  process.stdout.write(`architect ${mode} at ${architect.url}\n`);
  const turn = await Promise.race([architect.turn, stopped]);
  await architect.close();
  if (turn === 'stopped') break;
  // Another process took the name over. It is not taken back, because the two would fence each other without end.
  mode = turn === 'fenced' ? 'standby' : 'active';
}
logger.info('stopped');
