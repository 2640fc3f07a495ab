// Makes a join token for one program of compose, and keeps it in a file that the program reads:
//   node make-token.mjs ROLE NAME…      SWARM_URL, SWARM_ADMIN_TOKEN and TOKEN_FILE say where; NAME may end in "*"
// A token that the core still accepts is kept. Otherwise a new one takes its place, and the agents of these names are
// deregistered, since a limited token registers only names that are free and names that it has registered itself.
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const {
  SWARM_URL = 'http://127.0.0.1:7700',
  SWARM_ADMIN_TOKEN: admin = '',
  TOKEN_FILE: file = '/token/join',
} = process.env;
const [, , role = '', ...names] = process.argv;
/** How long a core that does not answer is waited for, in milliseconds. */
const PATIENCE_MS = 60_000;
const title = `compose: ${names.join(', ')}`;

/** The answer to a call; repeated while the core cannot be used. Statuses of `expected` are no failure. */
async function call(method, path, { token = admin, body, expected = [] } = {}) {
  const endsAt = Date.now() + PATIENCE_MS;
  for (;;) {
    let reason;
    try {
      const response = await fetch(SWARM_URL + path, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
        body: body && JSON.stringify(body),
      });
      const answer = await response.json();
      if (response.ok || expected.includes(response.status)) return { status: response.status, answer };
      reason = `${response.status} ${answer.detail}`;
      if (response.status < 500 && response.status !== 429) throw new Error(`${method} ${path}: ${reason}`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      reason = `${SWARM_URL} could not be reached (${error.cause?.code ?? error.message})`;
    }
    if (Date.now() > endsAt) throw new Error(`${method} ${path}: ${reason}`);
    await sleep(500);
  }
}

/** Null when there is none. */
function kept() {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

async function make() {
  const { answer } = await call('GET', '/v1/tokens');
  const former = answer.tokens.filter(({ kind, name }) => kind === 'join' && name.startsWith(title));
  for (const { id } of former) await call('DELETE', `/v1/tokens/${id}`, { expected: [404] });
  for (const name of names.filter((each) => !each.includes('*'))) {
    await call('DELETE', `/v1/agents/${name}`, { expected: [404] });
  }
  const input = { kind: 'join', name: `${title} (${randomBytes(4).toString('hex')})`, roles: [role], names };
  const { answer: made } = await call('POST', '/v1/tokens', { body: input });
  writeFileSync(`${file}.new`, `${made.token}\n`, { mode: 0o400 });
  renameSync(`${file}.new`, file);
}

try {
  const token = kept();
  const isGood = token !== null && (await call('GET', '/v1/whoami', { token, expected: [401] })).status === 200;
  if (!isGood) await make();
  process.stdout.write(`${isGood ? 'kept' : 'made'} the join token for ${names.join(', ')} (role ${role})\n`);
} catch (error) {
  process.stderr.write(`no join token for ${names.join(', ')}: ${error.message}\n`);
  process.exitCode = 1;
}
