// A connection on which a test sends what no HTTP client would, and keeps its side open.
import { connect, type Socket } from 'node:net';

export interface RawConnection {
  readonly socket: Socket;
  /** What has come so far. */
  text(): string;
  /** Everything that came, once the core has ended the connection. */
  readonly closed: Promise<string>;
}

export function openRaw(port: number, first: string): RawConnection {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  // A reset is an end like any other here.
  socket.on('error', () => socket.destroy());
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  // What is written after the core's end fails, and so shows that the connection is gone, not only half of it.
  socket.once('end', () => {
    const probe = setInterval(() => socket.write(' '), 50);
    socket.once('close', () => clearInterval(probe));
  });
  socket.write(first);
  return { socket, text: () => text, closed };
}

/** The head of a request with these lines. */
export const head = (line: string, headers: Record<string, string | number> = {}): string =>
  [
    `${line} HTTP/1.1`,
    'host: core',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ].join('\r\n');

export const statusIn = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
