// Installing a server where nothing else gives one: as root on a Debian-like system.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POLICY = '/usr/sbin/policy-rc.d';
const APT = '/usr/bin/apt-get';

let queue: Promise<void> = Promise.resolve();

/** Installs `name` by apt-get, without starting the service that it brings. Fails where that is not possible. */
export function installDebianPackage(name: string): Promise<void> {
  queue = queue.catch(() => undefined).then(() => install(name));
  return queue;
}

async function install(name: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('not root');
  if (!existsSync(APT)) throw new Error('no apt-get');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const ownPolicy = await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  );
  try {
    await run(APT, ['update', '-qq'], { env });
    const options = ['-qq', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
    await run(APT, ['install', ...options, name], { env, maxBuffer: 64 * 1024 * 1024 });
  } finally {
    if (ownPolicy) await rm(POLICY, { force: true });
  }
}
