// Probes over real sockets: every way in which an answer can fail to come, and that the guard cannot be got around.
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { systemClock } from '@hypercode/clock';
import { HeldClock } from '@hypercode/clock/testing';
import { type LeakTracker, trackLeaks, waitFor } from '@hypercode/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AddressRules, defaultRules } from '../../src/probes/address-rules.ts';
import { selfSigned } from './certificate.ts';
import type { Lookup } from '../../src/probes/names.ts';
import { Prober, type ProberOptions } from '../../src/probes/probe.ts';

let leaks: LeakTracker;
let ends: (() => Promise<unknown>)[];

beforeEach(() => {
  ends = [];
  leaks = trackLeaks();
});

// Probers before servers, which wait for all connections to be ended from the other side.
afterEach(async () => {
  for (const end of ends.toReversed()) await end();
  await leaks.check();
});

interface Listening {
  port: number;
  /** For a request of this server, by IPv4 loopback. */
  url: string;
  sockets: Socket[];
}

async function listen(server: Server, host = '127.0.0.1', port = 0): Promise<Listening> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => undefined)));
  await once(server.listen(port, host), 'listening');
  ends.push(async () => {
    await waitFor(() => sockets.every(({ destroyed }) => destroyed), { what: 'the prober to end its connections' });
    await new Promise((resolve) => server.close(resolve));
  });
  const { port: taken } = server.address() as AddressInfo;
  return { port: taken, url: `http://127.0.0.1:${taken}/health`, sockets };
}

// Servers keep connections for as long as the prober likes, so that only the prober ends them.
const KEEP = { keepAliveTimeout: 0 };
const serve = (answer: RequestListener) => listen(http.createServer(KEEP, answer));
/** A server below HTTP: it gets the sockets once something has come through them. */
const accept = (react: (socket: Socket) => void) =>
  listen(net.createServer((socket) => socket.once('data', () => react(socket))));

const ok = (_: IncomingMessage, response: ServerResponse) => void response.end('{}');
const never = new AbortController().signal;

function prober(options: Partial<ProberOptions> = {}): Prober {
  const defaults = { timeoutMs: 10_000, maxWaitMs: 5000, allow: defaultRules('embedded'), clock: systemClock };
  const made = new Prober({ ...defaults, ...options });
  ends.push(() => made.close());
  return made;
}

const resolvesTo =
  (...addresses: string[]): Lookup =>
  async () =>
    addresses.map((address) => ({ address, family: net.isIP(address) }));

describe('an answer', () => {
  test('is asked for with GET, and with nothing that identifies', async () => {
    const requests: IncomingMessage[] = [];
    const { url, port } = await serve((request, response) => {
      requests.push(request);
      response.setHeader('set-cookie', 'session=1').end();
    });
    const asking = prober();
    await asking.probe(`${url}?deep=1#here`, never);
    await asking.probe(url, never);
    expect(requests.map(({ method, url: path }) => [method, path])).toEqual([
      ['GET', '/health?deep=1'],
      ['GET', '/health'],
    ]);
    for (const { headers } of requests) {
      expect(headers).toEqual({
        host: `127.0.0.1:${port}`,
        'user-agent': 'hypercode-swarm-probe',
        accept: 'application/json',
        connection: 'keep-alive',
      });
    }
  });

  test.each([
    ['', null],
    ['OK', null],
    ['{"status":"busy"}', 'busy'],
    ['{"activity":"paused","status":"ok"}', 'paused'],
    ['{"activity":7,"status":"draining"}', 'draining'],
    ['{"activity":"asleep","status":"up"}', null],
    ['{"status":["ready"]}', null],
    ['["ready"]', null],
    ['{"status":"busy"', null],
    [' {"status":"ready"}\n', 'ready'],
    [`{"status":"ready","filler":"${'é'.repeat(32_000)}"}`, 'ready'],
  ])('may say what the agent is doing: %.40j', async (body, activity) => {
    const { url } = await serve((_, response) => response.end(body));
    expect(await prober().probe(url, never)).toEqual({ ok: true, status: 200, ms: expect.any(Number), activity });
  });

  test.each([200, 201, 204, 299])('of status %i is good', async (status) => {
    const { url } = await serve((_, response) => response.writeHead(status).end());
    expect(await prober().probe(url, never)).toMatchObject({ ok: true, status });
  });

  test.each([
    [500, 'status'],
    [503, 'status'],
    [404, 'status'],
    [401, 'status'],
    [301, 'redirect'],
    [302, 'redirect'],
    [307, 'redirect'],
    [304, 'redirect'],
  ])('of status %i is bad: %s', async (status, kind) => {
    const trap = await serve(ok);
    const { url } = await serve((_, response) => response.writeHead(status, { location: trap.url }).end());
    const result = await prober().probe(url, never);
    expect(result).toMatchObject({ ok: false, kind, reason: expect.stringContaining(String(status)) });
    expect(trap.sockets).toEqual([]);
  });

  test('of another protocol is not waited for', async () => {
    const { url } = await accept((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    );
    expect(await prober().probe(url, never)).toMatchObject({ ok: false, kind: 'status' });
  });

  test.each([
    ['by its length', 'HTTP/1.1 200 OK\r\ncontent-length: 65537\r\n\r\n', ''],
    ['by its body', 'HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(16_384)],
    ['by its chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', `4000\r\n${'x'.repeat(16_384)}\r\n`],
    ['by its headers', 'HTTP/1.1 200 OK\r\n', `x: ${'x'.repeat(4_096)}\r\n`],
    ['by answers before it', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('is too large %s, and is read no further', async (_, head, forever) => {
    const { url, sockets } = await accept((socket) => {
      socket.write(head);
      const more = () => {
        while (forever !== '' && socket.writable && socket.write(forever));
      };
      socket.on('drain', more);
      more();
    });
    expect(await prober().probe(url, never)).toMatchObject({ ok: false, kind: 'too_large' });
    await waitFor(() => sockets.every(({ destroyed }) => destroyed), { what: 'the connection to end' });
  });

  test.each([65_535, 65_536])('of %i bytes is read', async (bytes) => {
    const { url } = await serve((_, response) => response.end('x'.repeat(bytes)));
    expect(await prober().probe(url, never)).toMatchObject({ ok: true });
  });

  test('that is not HTTP is invalid', async () => {
    const { url } = await accept((socket) => socket.end('220 mail.example ESMTP\r\n'));
    expect(await prober().probe(url, never)).toMatchObject({ ok: false, kind: 'invalid' });
  });
});

describe('no answer', () => {
  test('where nothing listens', async () => {
    const server = net.createServer();
    const { url } = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await prober().probe(url, never)).toMatchObject({ ok: false, kind: 'refused' });
  });

  test.each([
    ['at once', ''],
    ['within the headers', 'HTTP/1.1 200 OK\r\nconte'],
    ['within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"a'],
  ])('when the connection ends %s', async (_, sent) => {
    const graceful = await accept((socket) => socket.end(sent));
    const abrupt = await accept((socket) => socket.write(sent, () => socket.resetAndDestroy()));
    for (const { url } of [graceful, abrupt]) {
      expect(await prober().probe(url, never)).toMatchObject({ ok: false, kind: 'reset' });
    }
  });

  test.each([
    ['hangs', ''],
    ['hangs within the headers', 'HTTP/1.1 200 OK\r\nconte'],
    ['hangs within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"a'],
  ])('in time from a server that %s', async (_, sent) => {
    const { url } = await accept((socket) => socket.write(sent));
    const result = await prober({ timeoutMs: 100 }).probe(url, never);
    expect(result).toMatchObject({ ok: false, kind: 'timeout', reason: 'no complete answer within 100 ms' });
    expect(result.ms).toBeGreaterThanOrEqual(99);
  });

  test('in time from one whose body only trickles', async () => {
    const { url } = await serve((_, response) => {
      const trickle = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(trickle));
    });
    expect(await prober({ timeoutMs: 150 }).probe(url, never)).toMatchObject({ ok: false, kind: 'timeout' });
  });

  test('in time from a resolver', async () => {
    const slow = prober({ timeoutMs: 50, lookup: () => new Promise(() => undefined) });
    expect(await slow.probe('http://agent.example/', never)).toMatchObject({ ok: false, kind: 'timeout' });
  });

  test('when the name does not resolve', async () => {
    // Reserved for names that exist nowhere (RFC 6761).
    const result = await prober({ timeoutMs: 25_000 }).probe('http://agent.invalid/health', never);
    expect(result).toMatchObject({ ok: false, kind: 'dns', reason: 'the host name could not be resolved' });
    const empty = await prober({ lookup: resolvesTo() }).probe('http://agent.example/', never);
    expect(empty).toMatchObject({ ok: false, kind: 'dns' });
  });

  test('once it is given up, before and while it is asked for', async () => {
    const { url, sockets } = await accept(() => undefined);
    const asking = prober();
    expect(await asking.probe(url, AbortSignal.abort())).toMatchObject({ ok: false, kind: 'aborted', ms: 0 });
    expect(sockets).toEqual([]);
    const ending = new AbortController();
    const probing = asking.probe(url, ending.signal);
    await waitFor(() => sockets.length === 1, { what: 'the connection' });
    ending.abort();
    expect(await probing).toMatchObject({ ok: false, kind: 'aborted' });
    await waitFor(() => sockets[0]?.destroyed, { what: 'the connection to end' });
  });

  test('once the prober is closed', async () => {
    const { url, sockets } = await accept(() => undefined);
    const asking = prober({ limits: { maxConcurrent: 2 } });
    const probing = [url, url, url].map((each) => asking.probe(each, never));
    await waitFor(() => sockets.length === 2, { what: 'the connections' });
    await asking.close();
    for (const result of await Promise.all(probing)) expect(result).toMatchObject({ ok: false, kind: 'aborted' });
    expect(await asking.probe(url, never)).toMatchObject({ ok: false, kind: 'aborted' });
    expect(sockets).toHaveLength(2);
  });
});

describe('a URL', () => {
  test.each([
    'http://user:secret@127.0.0.1:PORT/',
    'http://user@127.0.0.1:PORT/',
    'http://:secret@127.0.0.1:PORT/',
    'ftp://127.0.0.1:PORT/',
    'file:///etc/passwd',
    'http://127.0.0.1:0/',
    'http://[fe80::1%25eth0]:PORT/',
    'http://',
    'health',
    '',
  ])('is invalid, and nothing is sent: %s', async (text) => {
    const { port, sockets } = await serve(ok);
    const result = await prober().probe(text.replace('PORT', String(port)), never);
    expect(result).toMatchObject({ ok: false, kind: 'invalid', reason: expect.not.stringContaining('secret') });
    expect(sockets).toEqual([]);
  });
});

describe('over TLS', () => {
  const localhost = selfSigned({ dnsName: 'localhost' });
  const expired = selfSigned({ dnsName: 'localhost', validUntil: new Date(Date.now() - 1_000) });
  const elsewhere = selfSigned({ dnsName: 'agent.example' });
  const secure = async (identity: { key: string; cert: string }) => {
    const { port, sockets } = await listen(https.createServer({ ...KEEP, ...identity }, ok));
    return { url: `https://localhost:${port}/`, sockets };
  };
  const lookup = resolvesTo('127.0.0.1');

  test('a trusted certificate is fine, and its connection is kept', async () => {
    const { url, sockets } = await secure(localhost);
    const asking = prober({ ca: localhost.cert, lookup });
    for (let i = 0; i < 3; i += 1) expect(await asking.probe(url, never)).toMatchObject({ ok: true });
    expect(sockets).toHaveLength(1);
  });

  test.each([
    ['signed by itself', localhost, undefined, 'the certificate is self-signed'],
    ['that has expired', expired, expired.cert, 'the certificate has expired'],
    ['for another host', elsewhere, elsewhere.cert, 'the certificate is for another host'],
  ])('a certificate %s fails', async (_, identity, ca, reason) => {
    const { url } = await secure(identity);
    const result = await prober({ lookup, ...(ca !== undefined && { ca }) }).probe(url, never);
    expect(result).toMatchObject({ ok: false, kind: 'tls', reason });
  });

  test('a server without it fails', async () => {
    const { url } = await serve(ok);
    const result = await prober().probe(url.replace('http:', 'https:'), never);
    expect(result).toMatchObject({ ok: false, kind: 'tls', reason: 'the TLS handshake failed' });
  });

  test('a forbidden address is blocked all the same', async () => {
    const { url, sockets } = await secure(localhost);
    const asking = prober({ allow: defaultRules('server'), ca: localhost.cert });
    expect(await asking.probe(url, never)).toMatchObject({ ok: false, kind: 'blocked' });
    expect(await asking.probe(url.replace('localhost', '127.0.0.1'), never)).toMatchObject({ kind: 'blocked' });
    expect(sockets).toEqual([]);
  });
});

describe('the guard', () => {
  const onlyLocalhost = new AddressRules(['127.0.0.1']);

  /** Another loopback address of this machine, which `onlyLocalhost` leaves out, with a server at the same port. */
  async function trapBeside(port: number): Promise<{ address: string; sockets: Socket[] }> {
    const server = http.createServer(ok);
    try {
      return { address: '::1', ...(await listen(server, '::1', port)) };
    } catch {
      return { address: '127.0.0.2', ...(await listen(http.createServer(ok), '127.0.0.2', port)) };
    }
  }

  test.each([
    ['http://127.0.0.1:PORT/', 'SWARM_PROBE_ALLOW'],
    ['http://2130706433:PORT/', 'SWARM_PROBE_ALLOW'],
    ['http://0x7f.1:PORT/', 'SWARM_PROBE_ALLOW'],
    ['http://0177.0.0.1:PORT/', 'SWARM_PROBE_ALLOW'],
    ['http://[::1]:PORT/', 'SWARM_PROBE_ALLOW'],
    ['http://[::ffff:127.0.0.1]:PORT/', 'SWARM_PROBE_ALLOW'],
    ['http://[64:ff9b::127.0.0.1]:PORT/', 'SWARM_PROBE_ALLOW'],
    ['http://localhost:PORT/', 'SWARM_PROBE_ALLOW'],
    ['http://0:PORT/', 'never'],
    ['http://[::]:PORT/', 'never'],
    ['http://169.254.169.254/latest/meta-data/', 'never'],
    ['http://[::ffff:a9fe:a9fe]/', 'never'],
    ['http://[fd00:ec2::254]/', 'never'],
  ])('blocks %s', async (text, reason) => {
    const { port, sockets } = await serve(ok);
    const asking = prober({ allow: defaultRules('server') });
    const result = await asking.probe(text.replace('PORT', String(port)), never);
    expect(result).toMatchObject({ ok: false, kind: 'blocked', reason: expect.stringContaining(reason) });
    expect(sockets).toEqual([]);
  });

  test('does not tell what a name resolves to', async () => {
    const result = await prober({ lookup: resolvesTo('10.1.2.3') }).probe('http://agent.example/', never);
    expect(result).toMatchObject({ kind: 'blocked', reason: expect.not.stringContaining('10.1.2.3') });
  });

  test('tries only the permitted of several addresses', async () => {
    const { port, sockets } = await serve(ok);
    const trap = await trapBeside(port);
    const lookup = resolvesTo('169.254.169.254', trap.address, 'nonsense', '127.0.0.1', '10.0.0.1');
    const asking = prober({ allow: onlyLocalhost, lookup });
    expect(await asking.probe(`http://agent.example:${port}/`, never)).toMatchObject({ ok: true });
    expect(sockets).toHaveLength(1);
    expect(trap.sockets).toEqual([]);
  });

  test('blocks when none of several addresses is permitted', async () => {
    const { port, sockets } = await serve(ok);
    const lookup = resolvesTo('169.254.169.254', '127.0.0.1', '10.0.0.1');
    const asking = prober({ allow: defaultRules('server'), lookup });
    expect(await asking.probe(`http://agent.example:${port}/`, never)).toMatchObject({ kind: 'blocked' });
    expect(sockets).toEqual([]);
  });

  test('connects to what it judged, though the name resolves differently the next time', async () => {
    const { port, sockets } = await serve((_, response) => response.setHeader('connection', 'close').end('{}'));
    const trap = await trapBeside(port);
    const answers = ['127.0.0.1', trap.address, '169.254.169.254'];
    let asked = 0;
    const lookup: Lookup = async () => {
      const address = answers[asked] ?? trap.address;
      asked += 1;
      return [{ address, family: net.isIP(address) }];
    };
    const asking = prober({ allow: onlyLocalhost, lookup });
    const url = `http://agent.example:${port}/`;
    expect(await asking.probe(url, never)).toMatchObject({ ok: true });
    expect(asked).toBe(1);
    expect(await asking.probe(url, never)).toMatchObject({ ok: false, kind: 'blocked' });
    expect(await asking.probe(url, never)).toMatchObject({ ok: false, kind: 'blocked' });
    expect(asked).toBe(3);
    expect(sockets).toHaveLength(1);
    expect(trap.sockets).toEqual([]);
  });

  test('lets a kept connection to a permitted address be used, and judges again when it is gone', async () => {
    const { port, sockets } = await serve(ok);
    let address = '127.0.0.1';
    const lookup: Lookup = async () => [{ address, family: 4 }];
    const asking = prober({ allow: onlyLocalhost, lookup });
    const url = `http://agent.example:${port}/`;
    await asking.probe(url, never);
    address = '169.254.169.254';
    expect(await asking.probe(url, never)).toMatchObject({ ok: true });
    expect(sockets).toHaveLength(1);
    sockets[0]?.resetAndDestroy();
    expect(await asking.probe(url, never)).toMatchObject({ ok: false, kind: 'blocked' });
  });

  test.each(['::1', '::ffff:127.0.0.1'])('lets a permitted IPv6 address pass: %s', async (address) => {
    // Where the machine has no IPv6, the guard is passed, and then nothing is there.
    const there = await listen(http.createServer(KEEP, ok), address === '::1' ? '::1' : '127.0.0.1').catch(() => null);
    const result = await prober().probe(`http://[${address}]:${there?.port ?? 9}/`, never);
    expect(result).toMatchObject(there === null ? { ok: false, kind: 'refused' } : { ok: true });
  });

  test('lets localhost pass by default where the core is embedded', async () => {
    const { port } = await serve(ok);
    expect(await prober().probe(`http://localhost:${port}/`, never)).toMatchObject({ ok: true });
  });
});

describe('lookups of names', () => {
  /** Resolves all names but those of `hang.example`. */
  const hangingAt =
    (asked: string[]): Lookup =>
    (hostname) => {
      asked.push(hostname);
      return hostname.endsWith('hang.example') ? new Promise(() => undefined) : resolvesTo('127.0.0.1')(hostname);
    };

  test('that hang fail the probes of that name alone, not those that wait for a turn', async () => {
    const { port } = await serve(ok);
    const asked: string[] = [];
    const asking = prober({ timeoutMs: 200, maxWaitMs: 400, lookup: hangingAt(asked) });
    const hanging = [asking.probe('http://hang.example/', never), asking.probe('http://hang.example:81/', never)];
    const waiting = asking.probe(`http://agent.example:${port}/`, never);
    for (const result of await Promise.all(hanging)) expect(result).toMatchObject({ ok: false, kind: 'timeout' });
    expect(await waiting).toMatchObject({
      ok: false,
      kind: 'unprobed',
      reason: expect.stringContaining('host name waited'),
    });
    expect(asked).toEqual(['hang.example']);
  });

  test('that hang do not hold up probes that need none: of an address, or over a kept connection', async () => {
    const { url, port } = await serve(ok);
    const asking = prober({ limits: { maxConcurrent: 2 }, lookup: hangingAt([]) });
    const named = `http://agent.example:${port}/`;
    expect(await asking.probe(named, never)).toMatchObject({ ok: true });
    const stuck = Array.from({ length: 10 }, (_, i) => asking.probe(`http://${i}.hang.example/`, never));
    expect(await asking.probe(url, never)).toMatchObject({ ok: true });
    expect(await asking.probe(named, never)).toMatchObject({ ok: true });
    await asking.close();
    for (const result of await Promise.all(stuck)) expect(result).toMatchObject({ kind: 'aborted' });
  });

  test('take no time of a probe that waits for its turn', async () => {
    const { port } = await serve((_, response) => setTimeout(() => response.end(), 150));
    const first = Promise.withResolvers<undefined>();
    const lookup: Lookup = async (hostname) => {
      if (hostname === 'slow.example') await first.promise;
      return resolvesTo('127.0.0.1')(hostname);
    };
    const asking = prober({ timeoutMs: 300, maxWaitMs: 10_000, lookup });
    const slow = asking.probe(`http://slow.example:${port}/`, never);
    const waiting = asking.probe(`http://agent.example:${port}/`, never);
    // By now it would have had its time.
    expect(await slow).toMatchObject({ ok: false, kind: 'timeout' });
    first.resolve(undefined);
    const result = await waiting;
    expect(result).toMatchObject({ ok: true });
    expect(result.ms).toBeLessThan(300);
  });
});

describe('connections', () => {
  const times = async (count: number, act: () => Promise<unknown>) => {
    for (let i = 0; i < count; i += 1) await act();
  };

  test('serve one probe after another', async () => {
    const { url, sockets } = await serve(ok);
    const asking = prober();
    await times(5, () => asking.probe(url, never));
    expect(sockets).toHaveLength(1);
  });

  test('are not kept after a bad answer', async () => {
    const { url, sockets } = await serve((_, response) => response.writeHead(503).end('x'));
    const asking = prober();
    await times(2, () => asking.probe(url, never));
    expect(sockets).toHaveLength(2);
  });

  test('are not kept for longer than the server announces', async () => {
    // It announces two seconds, of which Node.js leaves one unused, and ends nothing itself.
    const { url, sockets } = await accept((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=2\r\ncontent-length: 2\r\n\r\n{}'),
    );
    expect(await prober().probe(url, never)).toMatchObject({ ok: true });
    await waitFor(() => sockets[0]?.destroyed, { what: 'the kept connection to end' });
  });

  test('are not kept when they are older than five minutes', async () => {
    const { url, sockets } = await serve(ok);
    const clock = new HeldClock();
    const asking = prober({ clock });
    await times(2, () => asking.probe(url, never));
    clock.advance(299_999);
    await asking.probe(url, never);
    expect(sockets).toHaveLength(1);
    clock.advance(1);
    await times(2, () => asking.probe(url, never));
    expect(sockets).toHaveLength(2);
  });

  test('are not kept when there are too many', async () => {
    const { url, sockets } = await serve(ok);
    const asking = prober({ limits: { maxIdleSockets: 0 } });
    await times(2, () => asking.probe(url, never));
    expect(sockets).toHaveLength(2);
  });

  test('are kept up to a number in all', async () => {
    const servers = [await serve(ok), await serve(ok)];
    const asking = prober({ limits: { maxIdleSockets: 1 } });
    await times(3, async () => {
      for (const { url } of servers) await asking.probe(url, never);
    });
    expect(servers.map(({ sockets }) => sockets.length)).toEqual([1, 3]);
  });

  test('that the server ends as they are used again do not fail a probe', async () => {
    const { url, sockets } = await accept((socket) => {
      socket.on('data', () => socket.destroy());
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
    });
    const asking = prober();
    for (let i = 0; i < 3; i += 1) expect(await asking.probe(url, never)).toMatchObject({ ok: true });
    expect(sockets).toHaveLength(3);
  });

  test.each([
    ['to one origin', { maxConcurrentPerOrigin: 2 }],
    ['in all', { maxConcurrent: 2 }],
  ])('are so many at once %s, and waiting for one is no failure', async (_, limits) => {
    let requests = 0;
    const { url } = await serve((_request, response) => {
      requests += 1;
      if (requests > 4) response.end();
    });
    const asking = prober({ limits, timeoutMs: 200 });
    const results = Array.from({ length: 6 }, () => asking.probe(url, never));
    await Promise.race(results);
    expect(requests).toBe(2);
    // The last wait for longer than a probe may take.
    const kinds = (await Promise.all(results)).map((result) => (result.ok ? 'ok' : result.kind));
    expect(kinds).toEqual(['timeout', 'timeout', 'timeout', 'timeout', 'ok', 'ok']);
  });

  test('of a hanging origin do not hold up the others', async () => {
    const hanging = await accept(() => undefined);
    const { url } = await serve(ok);
    const asking = prober({ limits: { maxConcurrent: 3, maxConcurrentPerOrigin: 2 } });
    const stuck = Array.from({ length: 10 }, () => asking.probe(hanging.url, never));
    expect(await asking.probe(url, never)).toMatchObject({ ok: true });
    await asking.close();
    for (const result of await Promise.all(stuck)) expect(result).toMatchObject({ kind: 'aborted' });
  });

  test('wait for each other no longer than they may', async () => {
    const { url } = await serve(() => undefined);
    const asking = prober({ timeoutMs: 300, maxWaitMs: 200, limits: { maxConcurrentPerOrigin: 1 } });
    const results = await Promise.all(Array.from({ length: 5 }, () => asking.probe(url, never)));
    const kinds = results.map((result) => (result.ok ? 'ok' : result.kind));
    expect(kinds).toEqual(['timeout', 'unprobed', 'unprobed', 'unprobed', 'unprobed']);
  });

  test('of many probes may share a signal', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    const { url } = await serve(ok);
    const asking = prober();
    const ending = new AbortController();
    const results = await Promise.all(Array.from({ length: 100 }, () => asking.probe(url, ending.signal)));
    process.off('warning', note);
    expect(results.every((result) => result.ok)).toBe(true);
    expect(warnings).toEqual([]);
  });
});
