import { SwarmError } from '@hypercode/contracts';
import { ReplyError } from 'ioredis';
import { expect, test } from 'vitest';
import { redisFailure } from './redis-failure.ts';

const reply = (message: string): Error => new (ReplyError as new (message: string) => Error)(message);

test.each([
  reply('LOADING Redis is loading the dataset in memory'),
  reply("READONLY You can't write against a read only replica. script: abc, on @user_script:4."),
  reply('MASTERDOWN Link with MASTER is down'),
  reply('CLUSTERDOWN Hash slot not served'),
  reply('TRYAGAIN Multiple keys request during rehashing of slot'),
  reply("OOM command not allowed when used memory > 'maxmemory'."),
  reply('MISCONF Redis is configured to save RDB snapshots'),
  reply('NOREPLICAS Not enough good replicas to write.'),
  new Error('Connection is closed.'),
  new Error('Command timed out'),
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  new Error("Cluster isn't ready and enableOfflineQueue options is false"),
  Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { syscall: 'connect' }),
])('$message is UNAVAILABLE', (error) => {
  expect(redisFailure(error)).toMatchObject({ code: 'UNAVAILABLE', cause: error });
});

test.each([
  reply('ERR Error running script'),
  reply('WRONGTYPE Operation against a key'),
  new TypeError('x is not a function'),
  new SwarmError('NOT_FOUND', 'there is none'),
  'LOADING',
])('%s is passed on', (error) => {
  expect(redisFailure(error)).toBe(error);
});
