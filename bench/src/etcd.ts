// A private etcd, and the least of a client for it: gRPC by hand over node:http2, so that no library is measured with it.
import { freePort, temporaryFolder, waitFor } from '@hypercode/testkit';
import { Agent } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { HttpCalls } from './http-calls.ts';
import { startPeerProcess, versionOf } from './peer-process.ts';

export interface Etcd {
  readonly url: string;
  readonly version: string;
  /** The process whose child it is. */
  readonly parentPid: number;
  close(): Promise<void>;
}

/** Starts an etcd of one member that syncs every commit to disk, as it comes. Null when there is none on the PATH. */
export async function startEtcd(): Promise<Etcd | null> {
  const version = await versionOf('etcd');
  if (version === null) return null;
  const folder = temporaryFolder('etcd');
  const url = `http://127.0.0.1:${await freePort()}`;
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  const options = [
    ...['--name', 'bench', '--data-dir', folder.path, '--log-level', 'error', '--quota-backend-bytes', '8589934592'],
    ...['--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    ...['--initial-cluster', `bench=${peerUrl}`],
  ];
  const etcd = startPeerProcess('etcd', options);
  const close = async () => {
    await etcd.close();
    await folder.remove();
  };
  try {
    await waitFor(async () => (await fetch(`${url}/health`)).ok, { what: 'etcd', timeoutMs: 30_000 });
  } catch (error) {
    await close();
    throw error;
  }
  return { url, version, parentPid: etcd.parentPid, close };
}

export interface EtcdClient {
  put(key: string, value: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** etcd as its own clients speak to it: gRPC, all calls on one connection. */
export class EtcdGrpc implements EtcdClient {
  readonly #session: ClientHttp2Session;

  constructor(url: string) {
    this.#session = connect(url);
    this.#session.on('error', () => undefined);
  }

  put(key: string, value: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const stream = this.#call('/etcdserverpb.KV/Put');
      let status: string | undefined;
      stream.on('trailers', (trailers) => (status = String(trailers['grpc-status'])));
      stream.on('error', reject);
      stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`etcd refused a put: ${status}`))));
      stream.resume();
      stream.end(grpcMessage(Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, value)])));
    });
  }

  /** Calls `onEvent` for every answer of a watch on one key. Resolves when the watch stands; returns what ends it. */
  async watch(key: string, onEvent: () => void): Promise<() => void> {
    const stream = this.#call('/etcdserverpb.Watch/Watch');
    const standing = Promise.withResolvers<void>();
    stream.on('error', standing.reject);
    let created = false;
    stream.on('data', () => {
      if (created) return onEvent();
      created = true;
      standing.resolve();
    });
    stream.write(grpcMessage(bytesField(1, bytesField(1, Buffer.from(key)))));
    await standing.promise;
    return () => stream.close();
  }

  async close(): Promise<void> {
    this.#session.destroy();
  }

  #call(path: string) {
    return this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
  }
}

/** etcd through its JSON gateway, on as many connections as there are calls. */
export class EtcdGateway implements EtcdClient {
  readonly #calls: HttpCalls;

  constructor(url: string, connections: number) {
    this.#calls = new HttpCalls(url, new Agent({ keepAlive: true, maxSockets: connections }));
  }

  async put(key: string, value: Buffer): Promise<void> {
    const body = { key: Buffer.from(key).toString('base64'), value: value.toString('base64') };
    await this.#calls.post('/v3/kv/put', body);
  }

  async close(): Promise<void> {
    this.#calls.close();
  }
}

/** One uncompressed message of a gRPC stream. */
function grpcMessage(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A length-delimited field of a protocol buffer, with a number below 16. */
export function bytesField(number: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), bytes]);
}
