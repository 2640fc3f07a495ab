// A private NATS server with JetStream, whose streams are files.
import { jetstream, type JetStreamClient, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect, type NatsConnection, nanos } from '@nats-io/transport-node';
import { freePort, temporaryFolder, waitFor } from '@hypercode/testkit';
import { startPeerProcess, versionOf } from './peer-process.ts';

export interface Nats {
  readonly url: string;
  readonly version: string;
  /** The process whose child it is. */
  readonly parentPid: number;
  close(): Promise<void>;
}

/** The stream of all topics that begin with `bench.`. */
const STREAM = 'bench';
const SUBJECTS = 'bench.>';
/** What the core keeps, and how long it knows an event again, by default. */
const MAX_EVENTS = 1_000_000;
const DEDUP_WINDOW_MS = 600_000;

/** Null when there is no nats-server on the PATH. */
export async function startNats(): Promise<Nats | null> {
  const version = await versionOf('nats-server');
  if (version === null) return null;
  const folder = temporaryFolder('nats');
  const port = await freePort();
  const url = `nats://127.0.0.1:${port}`;
  const nats = startPeerProcess('nats-server', ['-js', '-sd', folder.path, '-a', '127.0.0.1', '-p', String(port)]);
  const close = async () => {
    await nats.close();
    await folder.remove();
  };
  try {
    const connection = await waitFor(() => connect({ servers: url, reconnect: false }), {
      what: 'nats-server',
      timeoutMs: 30_000,
    });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({
      name: STREAM,
      subjects: [SUBJECTS],
      storage: StorageType.File,
      max_msgs: MAX_EVENTS,
      duplicate_window: nanos(DEDUP_WINDOW_MS),
    });
    await connection.close();
  } catch (error) {
    await close();
    throw error;
  }
  return { url, version, parentPid: nats.parentPid, close };
}

/** One connection, and what it publishes to and reads of the stream. */
export class JetStream {
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#client = jetstream(connection);
  }

  static async connect({ url }: Nats): Promise<JetStream> {
    return new JetStream(await connect({ servers: url }));
  }

  /** Resolves when the server has it; rejects when it had an event of this id already. */
  async publish(topic: string, data: unknown, id: string): Promise<void> {
    const { duplicate } = await this.#client.publish(topic, JSON.stringify(data), { msgID: id });
    if (duplicate) throw new Error(`JetStream took ${id} for a duplicate`);
  }

  /** Calls `onData` with what is and will be published on the topic, in order. Returns what ends it. */
  async listen(topic: string, onData: (data: unknown) => void): Promise<() => Promise<void>> {
    const consumer = await this.#client.consumers.get(STREAM, { filter_subjects: topic });
    const messages = await consumer.consume({ callback: (message) => onData(message.json()) });
    return async () => {
      await messages.close();
    };
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
