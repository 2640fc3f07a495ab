import { SwarmError } from '@hypercode/contracts';
import { ReplyError } from 'ioredis';
import { expect, test } from 'vitest';
import { ClusterNodeError, isRedisMisconfigured, redisFailure } from './redis-failure.ts';

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
  Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
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

test('a wrong password and one node of a Cluster are mended by no waiting, and a Redis that is away is', () => {
  expect(isRedisMisconfigured(redisFailure(reply('WRONGPASS invalid username-password pair')))).toBe(true);
  expect(isRedisMisconfigured(reply('ERR DB index is out of range'))).toBe(true);
  expect(isRedisMisconfigured(new SwarmError('UNAVAILABLE', 'x', { cause: new ClusterNodeError() }))).toBe(true);
  expect(isRedisMisconfigured(reply('LOADING Redis is loading the dataset in memory'))).toBe(false);
  expect(isRedisMisconfigured(reply('NOPERM this user has no permissions'))).toBe(false);
});
