// For the fuzz test: valid calls, mutated at random, each the fruit of one seed.
import { type Tokens, validCalls } from './fuzz-calls.ts';

/** A request as it goes on the wire. */
export interface Request {
  method: string;
  path: string;
  headers: [string, string][];
  body: Buffer | null;
}

/** https://prng.di.unimi.it, splitmix32: a number in [0, 1) at each call. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  };
}

class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomOf(seed);
    for (let warmUp = 0; warmUp < 4; warmUp += 1) this.#random();
  }

  /** An integer from 0 up to `below`, without it. */
  number(below: number): number {
    return Math.floor(this.#random() * below);
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.number(items.length)] ?? items[0];
  }
}

const nested = (depth: number, open: string, close: string): string => `${open.repeat(depth)}1${close.repeat(depth)}`;

/** Values that something, somewhere, could stumble over, as JSON. */
const HOSTILE: [string, ...string[]] = [
  'null',
  'true',
  '0',
  '-1',
  '-0',
  '1.5',
  '1e308',
  '1e999',
  '9007199254740993',
  '""',
  '"a"',
  '"A"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"__proto__"',
  '"constructor"',
  '"watch"',
  '"snapshot"',
  '">"',
  '"*"',
  '"a.>.b"',
  '"\'; drop table agents; --"',
  '"%00"',
  '"../../etc/passwd"',
  '"1.0.0"',
  '"http://[::1]:0/"',
  '"http://a:b@c/"',
  '"\\n"',
  '"\\u202e"',
  '"\\ufeff"',
  '"{}"',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"":""}',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{"a":1}}}',
  '{"toString":1,"toJSON":1,"then":1}',
  '{"length":-1}',
  '{"a":"b"}',
  '"00000000-0000-0000-0000-000000000000"',
  '"system.a"',
  '"earliest"',
  '{"after":"a-1-1"}',
  '"0-0-0"',
  '"zz-zz-zz.1"',
  JSON.stringify('x'.repeat(5000)),
  JSON.stringify('\u{1f600}'.repeat(300)),
  JSON.stringify(Array.from({ length: 600 }, (_, index) => `a${index}`)),
  JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, 'v']))),
  nested(70, '[', ']'),
  nested(70, '{"a":', '}'),
  nested(5000, '[', ']'),
  nested(5000, '{"a":', '}'),
];

const KEYS: [string, ...string[]] = [
  '"name"',
  '"namespace"',
  '"role"',
  '"set"',
  '"ifRevision"',
  '"__proto__"',
  '""',
  '"toString"',
  '"\\u0000"',
  '"id"',
  '"topic"',
  '"data"',
  '"specversion"',
  '"data_base64"',
  '"datacontenttype"',
  '"deliveryIds"',
  '"topics"',
];

/** Replaces, doubles or drops values, keys and now and then punctuation, so that the text mostly stays JSON. */
function mutateJson(dice: Dice, text: string): string {
  const pieces = text.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^[\]{},:"\s]+/g) ?? [];
  const values = pieces.flatMap((piece, at) => (/^[[\]{},:]$/.test(piece) ? [] : [at]));
  const changes = 1 + dice.number(3);
  for (let change = 0; change < changes; change += 1) {
    const at = (dice.chance(0.9) ? values[dice.number(values.length)] : undefined) ?? dice.number(pieces.length);
    const isKey = pieces[at + 1] === ':';
    if (dice.chance(0.8)) pieces[at] = dice.pick(isKey ? KEYS : HOSTILE);
    else if (dice.chance(0.5)) pieces[at] = `${pieces[at]},${pieces[at]}`;
    else pieces[at] = dice.pick(['', '"', '\\', '\0', '/**/', 'NaN', 'undefined', "'a'"]);
  }
  return pieces.join('');
}

function mutateBytes(dice: Dice, bytes: Buffer): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  const changes = 1 + dice.number(4);
  for (let change = 0; change < changes; change += 1) {
    const at = dice.number(mutated.length + 1);
    switch (dice.number(4)) {
      case 0:
        if (at < mutated.length) mutated.writeUInt8(mutated.readUInt8(at) ^ (1 << dice.number(8)), at);
        break;
      case 1:
        mutated = mutated.subarray(0, at);
        break;
      case 2:
        mutated = Buffer.concat([
          mutated.subarray(0, at),
          randomBytes(dice, 1 + dice.number(16)),
          mutated.subarray(at),
        ]);
        break;
      default:
        mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(dice.number(at + 1))]);
    }
  }
  return mutated;
}

const randomBytes = (dice: Dice, length: number): Buffer => Buffer.from(Array.from({ length }, () => dice.number(256)));

function mutateText(dice: Dice, text: string): string {
  const pieces: [string, ...string[]] = [
    '%',
    '%00',
    '%ff',
    '%2e%2e',
    '%2F',
    '..',
    '/',
    '//',
    '?',
    '&',
    '=',
    '#',
    ';',
    '\\',
    '.',
    ',',
    '*',
    '>',
    '[]',
    '{}',
    '%F0%9F%98%80',
    '%ed%a0%80',
    'a',
    'A',
    '0',
    '-',
    '_',
    '~',
    '@',
    '+',
    '\t',
    '\x7f',
    '\xff',
    'watch',
    '__proto__',
    '%22',
    '%7B%22',
    'namespace=b',
    '&limit=-1',
    '&since=1e9',
    '&from=a-1-1',
    '&topics=%3E',
    '&after=0-1-1',
    '&batch=1',
    '&input=',
    'x'.repeat(300),
    '&a'.repeat(500),
  ];
  const at = dice.number(text.length + 1);
  const cut = dice.chance(0.4) ? dice.number(6) : 0;
  return text.slice(0, at) + dice.pick(pieces) + text.slice(at + cut);
}

function mutateHeaders(dice: Dice, headers: [string, string][]): [string, string][] {
  const values: [string, ...string[]] = [
    '',
    ' ',
    '\xff\xfe',
    'x'.repeat(4000),
    'application/json',
    'application/merge-patch+json',
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
    'application/cloudevents+avro',
    'application/octet-stream',
    'text/plain',
    'text/plain; charset=utf-16',
    'text/plain; charset=none-such',
    '%ff%fe',
    '"a\\"b',
    'application/json; charset=utf-16',
    'multipart/form-data; boundary=a',
    'application/x-www-form-urlencoded',
    'Bearer',
    'Bearer a',
    'Basic YTpi',
    '0',
    '-1',
    '1',
    '999999999999',
    'chunked',
    'gzip',
    '100-continue',
    'h2c',
    'websocket',
    'close, upgrade',
    '*',
    'snapshot',
    '"',
    '{}',
    'text/event-stream',
    'null',
    '1, 2',
    'trpc',
    'https://a',
  ];
  const names: [string, ...string[]] = [
    'content-type',
    'authorization',
    'content-length',
    'transfer-encoding',
    'content-encoding',
    'expect',
    'upgrade',
    'connection',
    'accept',
    'last-event-id',
    'x-request-id',
    'trpc-accept',
    'origin',
    'host',
    'x-http-method-override',
    'if-match',
    'range',
    'cookie',
    'accept-version',
    'x-forwarded-for',
    'ce-specversion',
    'ce-id',
    'ce-source',
    'ce-type',
    'ce-time',
    'ce-data',
    '__proto__',
    'a b',
    '',
    'x'.repeat(200),
  ];
  const mutated = [...headers];
  const at = dice.number(mutated.length);
  const [name, value] = mutated[at] ?? ['', ''];
  switch (dice.number(4)) {
    case 0:
      mutated.splice(at, 1);
      break;
    case 1:
      mutated[at] = [name, dice.pick(values)];
      break;
    case 2:
      mutated[at] = [name, mutateText(dice, value)];
      break;
    default:
      mutated.splice(at, 0, [dice.pick(names), dice.pick(values)]);
  }
  return mutated;
}

/** The mutated request of `seed`: always the same one. */
export function requestOf(seed: number, tokens: Tokens): Request {
  const dice = new Dice(seed);
  const call = dice.pick(validCalls({ name: `agent-${dice.number(50)}`, digit: dice.number(10), tokens }));
  let path: string = call.path;
  let method: string = call.method;
  let body: Buffer | null = call.json === undefined ? null : Buffer.from(JSON.stringify(call.json));
  let headers: [string, string][] = [
    ['host', 'localhost'],
    ['authorization', `Bearer ${call.token}`],
    ...Object.entries({ ...(body === null ? {} : { 'content-type': 'application/json' }), ...call.headers }),
  ];
  do {
    const kind = dice.number(10);
    if (kind < 4 && call.json !== undefined) body = Buffer.from(mutateJson(dice, JSON.stringify(call.json)));
    else if (kind < 6 && body !== null) body = mutateBytes(dice, body);
    else if (kind < 8) path = mutatePath(dice, path);
    else if (kind < 9) headers = mutateHeaders(dice, headers);
    else method = dice.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'get', 'X']);
  } while (dice.chance(0.3));
  if (body !== null && !headers.some(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name))) {
    headers.push(['content-length', String(body.length)]);
  }
  return { method, path, headers, body };
}

/** Half of the time inside the JSON of a query's input, where there is one. */
function mutatePath(dice: Dice, path: string): string {
  const [, before = '', json = '', after = ''] = /^([^?]*\?input=)([^&]*)(.*)$/.exec(path) ?? [];
  if (json === '' || dice.chance(0.5)) return mutateText(dice, path);
  const decoded = json.replaceAll(/%([0-7][0-9A-F])/g, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return before + encodeURIComponent(mutateJson(dice, decoded).toWellFormed()) + after;
}

/**
 * Whether the core must take the whole request, and no more, for one: then the connection can serve the next. A request
 * whose length is mutated leaves bytes over, or waits for some.
 */
export function isWellFramed({ headers, body }: Request): boolean {
  const framing = headers.filter(([name]) =>
    /^(?:content-length|transfer-encoding|connection|upgrade|expect)$/i.test(name),
  );
  if (body === null) return framing.length === 0;
  const [length] = framing;
  return framing.length === 1 && length?.[0] === 'content-length' && length[1] === String(body.length);
}

export const bytesOf = ({ method, path, headers, body }: Request): Buffer =>
  Buffer.concat([
    Buffer.from(
      `${method} ${path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      'latin1',
    ),
    body ?? Buffer.alloc(0),
  ]);
