// A program of its own, so that its work takes no time from the test: keeps many connections of one hostile kind open to a core, none
// with a valid token, opens another for each that the core has ended, and exits after a few seconds.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/** How long all connections are there, in milliseconds. */
const HOLD_MS = 4000;
/** How long before another is opened in the place of one that the core has ended, in milliseconds. */
const REOPEN_AFTER_MS = 2000;
/** How often the slow ones send a few bytes, in milliseconds. */
const DRIP_MS = 500;
/** Opened at once; the next follow when these are open. */
const WAVE = 50;

interface Kind {
  readonly first: () => string | Buffer;
  /** Sent again and again. */
  readonly drip?: string;
  /** Takes nothing of what the core sends. */
  readonly isUnread?: true;
}

const head = (line: string, ...headers: string[]): string =>
  [`${line} HTTP/1.1`, 'host: core', ...headers, '', ''].join('\r\n');
const BATCH = `/trpc/${Array.from({ length: 500 }, () => 'bus.read').join(',')}?batch=1`;
const LARGEST = [
  'GET /v1/openapi.json',
  'GET /metrics',
  'GET /v1/openapi.json',
  'GET /metrics',
  'GET /v1/openapi.json',
];
const UPGRADE = ['upgrade: websocket', 'connection: upgrade', 'sec-websocket-version: 13'];

const kinds: Readonly<Record<string, Kind>> = {
  'slow headers': { first: () => 'GET /healthz HTTP/1.1\r\nhost: core\r\n', drip: 'x: y\r\n' },
  'slow bodies': {
    first: () => head('POST /v1/events', 'content-type: application/json', 'content-length: 4000000'),
    drip: ' ',
  },
  // Each keeps its own side open when the core has ended the other.
  'half-open': { first: () => head('GET /healthz', 'connection: close') },
  'unread answers': { first: () => LARGEST.map((line) => head(line)).join(''), isUnread: true },
  batches: { first: () => head(`GET ${BATCH}`, 'authorization: Bearer unknown') },
  garbage: { first: () => randomBytes(512) },
  'silent WebSockets': {
    first: () =>
      head('GET /trpc?connectionParams=1', ...UPGRADE, `sec-websocket-key: ${randomBytes(16).toString('base64')}`),
  },
};

const [port, count, name = ''] = process.argv.slice(2);
const named = kinds[name];
if (named === undefined) throw new Error(`no such kind: ${name}`);

/** Resolves when the connection is open, or could not be opened. */
function open(kind: Kind): Promise<void> {
  const { first, drip, isUnread } = kind;
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), DRIP_MS);
  let isReplaced = false;
  const replace = (): void => {
    if (!isReplaced) setTimeout(() => void open(kind), REOPEN_AFTER_MS);
    isReplaced = true;
  };
  socket.on('error', () => socket.destroy());
  // The core has ended its side, or both.
  socket.on('end', replace).on('close', replace);
  socket.on('close', () => clearInterval(dripping));
  if (isUnread === true) socket.pause();
  else socket.resume();
  socket.write(first());
  return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
}

process.on('disconnect', () => process.exit());
for (let opened = 0; opened < Number(count); opened += WAVE) {
  await Promise.all(Array.from({ length: WAVE }, () => open(named)));
}
setTimeout(() => process.exit(), HOLD_MS);
