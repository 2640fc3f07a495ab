// What Prometheus reads of one server: its calls, its registry, its bus, its streams, and the process.
import type { Bus } from '@hypercode/bus';
import { type Clock, sleep } from '@hypercode/clock';
import { ErrorCode, type ProcedureName, procedures, RegisterOutcome } from '@hypercode/contracts';
import type { Signal, StreamBatch } from '@hypercode/feed';
import type { Operations } from '@hypercode/operations';
import type { CommittedGroup, Registry } from '@hypercode/registry';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry as Metrics } from 'prom-client';
import type { Surface } from './surface.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer goes on until one side ends it, so how long it took says nothing. */
    stream?: boolean;
  }
}

const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const GROUP_COMMANDS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const APPEND_EVENTS = [1, 4, 16, 64, 128, 256, 512, 1000];
const UNKNOWN_ROUTE = 'none';
/** Callers name groups and namespaces, and each name is a series of its own. */
const MAX_GROUPS = 1000;
/** Least time between two renderings, in milliseconds. Anyone may ask for one, and each costs some milliseconds of the process. */
const RENDERING_INTERVAL_MS = 250;

type StreamTransport = 'sse_trpc' | 'sse_rest' | 'websocket';

/** Types of values that report something new. */
const NEWS: ReadonlySet<string> = new Set(['event', 'delivery', 'change', 'plan']);

/** The streams of one kind over one transport. Plain numbers, since they move with every value sent; read when Prometheus asks. */
export class StreamTally {
  open = 0;
  values = 0;
  /** The values that are events, deliveries, changes or plans. */
  changes = 0;
  bytes = 0;

  /** Notes that a stream is open. Call the returned function once, when the stream has ended. */
  opened(): () => void {
    this.open += 1;
    return () => {
      this.open -= 1;
    };
  }

  /** `bytes` as they were written; 0 where the transport does not report them. */
  sent(batch: StreamBatch, bytes: number): void {
    for (const { type } of batch) if (NEWS.has(type)) this.changes += 1;
    this.values += batch.length;
    this.bytes += bytes;
  }
}

/** The names of streams as dashboards know them: those of registry and bus without their group. */
const streamLabelOf = (name: ProcedureName): string => name.replace(/^(?:registry|bus)\./, '');

type ServedGroup = Awaited<ReturnType<Bus['servedGroups']>>[number];

interface Call {
  route: string;
  method: string;
  status: number;
  /** How long the answer took, in milliseconds; null for a stream. */
  ms: number | null;
}

const tallies = (): Record<StreamTransport, StreamTally> => ({
  sse_trpc: new StreamTally(),
  sse_rest: new StreamTally(),
  websocket: new StreamTally(),
});

/**
 * One for each core; two cores in a process share only the metrics of the process itself. What is counted as it happens can be
 * counted from the beginning; what is read of registry and bus is there from `read` on.
 */
export class ServerMetrics {
  /** Of each subscription. */
  readonly #streams = new Map(
    procedures.flatMap(([name, { kind }]) => (kind === 'subscription' ? [[name, tallies()] as const] : [])),
  );
  readonly contentType: string;
  readonly #metrics = new Metrics();
  readonly #process = metricsOfProcess();
  readonly #requests: Counter<'route' | 'method' | 'status'>;
  readonly #seconds: Histogram<'route' | 'method'>;
  /** The counters of each kind of call, so that a call costs one lookup. */
  readonly #calls = new Map<string, { count: () => void; observe: (seconds: number) => void }>();
  readonly #registrations: Record<RegisterOutcome, Counter.Internal>;
  readonly #refusals: Record<ErrorCode, Counter.Internal>;
  readonly #groups: { commands: Histogram; seconds: Histogram; changes: Counter };
  readonly #stops: (() => void)[] = [];
  #heartbeats = 0;
  #asked: Promise<Buffer> | null = null;
  #renderedAtMs = Number.NEGATIVE_INFINITY;

  constructor(signal: Signal) {
    this.contentType = this.#metrics.contentType;
    const registers = [this.#metrics];
    this.#requests = new Counter({
      name: 'swarm_http_requests_total',
      help: 'HTTP requests answered, by the pattern of their route.',
      labelNames: ['route', 'method', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'swarm_http_request_duration_seconds',
      help: 'Time to answer an HTTP request, streams excluded.',
      labelNames: ['route', 'method'],
      buckets: CALL_SECONDS,
      registers,
    });
    const registrations = new Counter({
      name: 'swarm_registrations_total',
      help: 'Registrations accepted, by outcome.',
      labelNames: ['outcome'],
      registers,
    });
    this.#registrations = resolved(RegisterOutcome.options, (outcome) => registrations.labels({ outcome }));
    const refusals = new Counter({
      name: 'swarm_refusals_total',
      help: 'Calls and streams that ended with an error, by error code.',
      labelNames: ['code'],
      registers,
    });
    this.#refusals = resolved(ErrorCode.options, (code) => refusals.labels({ code }));
    this.#readNumber('swarm_heartbeats_total', 'Heartbeats accepted.', () => this.#heartbeats);
    this.#readStreams();
    this.#groups = this.#makeGroups();
    this.#readSignal(signal);
  }

  /** Adds what is read of these whenever Prometheus asks. */
  read({ registry, bus, operations }: { registry: Registry; bus: Bus; operations: Operations }): void {
    const { probes } = registry;
    const suspended = 'Namespaces whose mass-failure guard holds, on the replica that judges.';
    this.#readGauge('swarm_liveness_suspended', suspended, () => registry.suspended().length);
    this.#readNumber('swarm_probes_good_total', 'Probes of a healthUrl that succeeded.', () => probes.good);
    this.#readNumber('swarm_probes_bad_total', 'Probes of a healthUrl that failed.', () => probes.bad);
    const givenUp = 'Probes that were dropped because they could not start in time. They do not count as failures.';
    this.#readNumber('swarm_probes_given_up_total', givenUp, () => probes.givenUp);
    this.#readGauge(
      'swarm_followed_changes',
      'Namespaces whose change log this replica follows, because they are in use.',
      () => registry.followed(),
    );
    this.#stops.push(this.#observeBus(bus));
    this.#readAuditHeads(operations);
  }

  groupCommitted(group: CommittedGroup): void {
    this.#groups.commands.observe(group.commands);
    this.#groups.seconds.observe(group.ms / 1000);
    this.#groups.changes.inc(group.changes);
  }

  answered({ route, method, status, ms }: Call): void {
    const key = `${status} ${method} ${route}`;
    let call = this.#calls.get(key);
    if (call === undefined) {
      const requests = this.#requests.labels({ route, method, status: String(status) });
      const seconds = this.#seconds.labels({ route, method });
      call = { count: () => requests.inc(), observe: (value) => seconds.observe(value) };
      this.#calls.set(key, call);
    }
    call.count();
    if (ms !== null) call.observe(ms / 1000);
  }

  /** The streams of a subscription over one transport. */
  streamTally(name: ProcedureName, transport: StreamTransport): StreamTally {
    const transports = this.#streams.get(name);
    if (transports === undefined) throw new Error(`${name} is no subscription`);
    return transports[transport];
  }

  /** How many streams are open over all transports, as a replica reports them. */
  openMainStreams(): { watch: number; subscribe: number; consume: number } {
    const openOf = (name: ProcedureName): number =>
      Object.values<StreamTally>(this.#streams.get(name) ?? {}).reduce((sum, { open }) => sum + open, 0);
    return { watch: openOf('registry.watch'), subscribe: openOf('bus.subscribe'), consume: openOf('bus.consume') };
  }

  registered(outcome: RegisterOutcome): void {
    this.#registrations[outcome].inc();
  }

  refused(code: ErrorCode): void {
    this.#refusals[code].inc();
  }

  heartbeat(): void {
    this.#heartbeats += 1;
  }

  /**
   * Everything in Prometheus' text format, as bytes that all answers share. A rendering begins 250 ms after the last at the earliest;
   * requests that come before it begins, or while it goes on, share it.
   */
  text(clock: Clock): Promise<Buffer> {
    this.#asked ??= this.#render(clock).finally(() => {
      this.#asked = null;
    });
    return this.#asked;
  }

  async #render(clock: Clock): Promise<Buffer> {
    const waitMs = this.#renderedAtMs + RENDERING_INTERVAL_MS - clock.monotonicMs();
    if (waitMs > 0) await sleep(clock, waitMs);
    const [own, process] = await Promise.all([this.#metrics.metrics(), this.#process.metrics()]);
    this.#renderedAtMs = clock.monotonicMs();
    return Buffer.from(`${own}\n${process}`);
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #makeGroups() {
    const registers = [this.#metrics];
    const commands = new Histogram({
      name: 'swarm_commit_group_commands',
      help: 'Commands that were decided and committed together.',
      buckets: GROUP_COMMANDS,
      registers,
    });
    const seconds = new Histogram({
      name: 'swarm_commit_group_duration_seconds',
      help: 'Time from reading to commit of a group of commands.',
      buckets: COMMIT_SECONDS,
      registers,
    });
    const changes = new Counter({
      name: 'swarm_changes_total',
      help: 'Changes that this replica has committed to the change log.',
      registers,
    });
    return { commands, seconds, changes };
  }

  #readSignal(signal: Signal): void {
    const registers = [this.#metrics];
    const links = new Counter({
      name: 'swarm_signal_links_total',
      help: 'Times that the connection for wake-ups between replicas was established.',
      registers,
    });
    const linked = new Gauge({
      name: 'swarm_signal_linked',
      help: 'Whether wake-ups reach the other replicas: 1 yes; 0 no, replicas poll instead.',
      registers,
      collect: () => {
        linked.set(signal.linked ? 1 : 0);
      },
    });
    this.#stops.push(signal.onLinked(() => links.inc()));
  }

  #readStreams(): void {
    const all = [...this.#streams].flatMap(([name, transports]) => {
      const stream = streamLabelOf(name);
      return Object.entries(transports).map(([transport, tally]) => ({ labels: { stream, transport }, tally }));
    });
    const labelNames = ['stream', 'transport'] as const;
    const registers = [this.#metrics];
    const open = new Gauge({
      name: 'swarm_streams',
      help: 'Streams that are open: watches of the registry and of plans, subscriptions, members of consumer groups.',
      labelNames,
      registers,
      collect: () => {
        for (const { labels, tally } of all) open.set(labels, tally.open);
      },
    });
    const values = new Counter({
      name: 'swarm_stream_values_total',
      help: 'Items sent over streams: events, deliveries, changes, snapshots, plans, gaps and bookmarks.',
      labelNames,
      registers,
      collect: () => {
        values.reset();
        for (const { labels, tally } of all) values.inc(labels, tally.values);
      },
    });
    const changes = new Counter({
      name: 'swarm_stream_news_total',
      help: 'Events, deliveries, changes and plans sent over streams.',
      labelNames,
      registers,
      collect: () => {
        changes.reset();
        for (const { labels, tally } of all) changes.inc(labels, tally.changes);
      },
    });
    const bytes = new Counter({
      name: 'swarm_stream_sent_bytes_total',
      help: 'Bytes sent over streams of server-sent events.',
      labelNames,
      registers,
      collect: () => {
        bytes.reset();
        for (const { labels, tally } of all) {
          if (labels.transport !== 'websocket') bytes.inc(labels, tally.bytes);
        }
      },
    });
  }

  #observeBus(bus: Bus): () => void {
    const registers = [this.#metrics];
    const seconds = new Histogram({
      name: 'swarm_append_duration_seconds',
      help: 'Time of an append to the event log, regardless of the number of events in it.',
      buckets: COMMIT_SECONDS,
      registers,
    });
    const events = new Histogram({
      name: 'swarm_append_events',
      help: 'Events in one append, duplicates included.',
      buckets: APPEND_EVENTS,
      registers,
    });
    let published = 0;
    let duplicates = 0;
    this.#readNumber('swarm_events_published_total', 'Events that this replica has appended.', () => published);
    this.#readNumber(
      'swarm_events_duplicate_total',
      'Events that were already in the log (duplicates).',
      () => duplicates,
    );
    const tally = bus.deliveries;
    this.#readNumber('swarm_deliveries_total', 'Deliveries to members of groups.', () => tally.delivered);
    this.#readNumber('swarm_redeliveries_total', 'Deliveries after the first attempt.', () => tally.redelivered);
    this.#readNumber('swarm_acks_total', 'Deliveries that were acknowledged.', () => tally.acked);
    this.#readNumber(
      'swarm_dead_letters_total',
      'Events of groups that died, as far as reported here.',
      () => tally.dead,
    );
    this.#readNumber(
      'swarm_dead_letters_dropped_total',
      'Dead letters that were removed for want of room, as far as reported here.',
      () => tally.dropped,
    );
    this.#readNumber('swarm_nacks_total', 'Deliveries that members gave back (nack).', () => tally.nacked);
    this.#readGauge('swarm_event_ring_entries', 'Events in memory for subscribers.', () => bus.rings.entries);
    this.#readGauge(
      'swarm_event_ring_bytes',
      'Approximate bytes of the events in memory for subscribers.',
      () => bus.rings.bytes,
    );
    this.#readGauge(
      'swarm_followed_events',
      'Namespaces whose event log this replica follows, because they are in use.',
      () => bus.rings.namespaces,
    );
    this.#readGauge('swarm_policies', 'Namespaces whose policy is in memory.', () => bus.policiesInMemory);
    this.#readGroups(bus);
    return bus.observe({
      onAppend: (append) => {
        seconds.observe(append.ms / 1000);
        events.observe(append.published + append.duplicates);
        published += append.published;
        duplicates += append.duplicates;
      },
    });
  }

  /** Of the groups that this replica serves and that lag most, as the store has them now; without it, the figures are left out. */
  #readGroups(bus: Bus): void {
    let asked: Promise<ServedGroup[]> | null = null;
    /** The gauges are read together, and together ask once. */
    const ask = (): Promise<ServedGroup[]> =>
      (asked ??= bus
        .servedGroups()
        .then((served) => served.toSorted((a, b) => b.lag - a.lag).slice(0, MAX_GROUPS))
        .catch(() => [])
        .finally(() => {
          asked = null;
        }));
    const addGauge = (name: string, help: string, read: (group: ServedGroup) => number): void => {
      const gauge = new Gauge({
        name,
        help: `${help} Of the ${MAX_GROUPS} groups with the largest lag.`,
        labelNames: ['namespace', 'group'],
        registers: [this.#metrics],
        collect: async () => {
          const groups = await ask();
          gauge.reset();
          for (const group of groups) gauge.set({ namespace: group.namespace, group: group.group }, read(group));
        },
      });
    };
    addGauge('swarm_group_lag', 'Events of all topics after the cursor of a consumer group.', ({ lag }) => lag);
    addGauge('swarm_group_in_flight', 'Deliveries of a consumer group that are open.', ({ inFlight }) => inFlight);
    addGauge('swarm_group_dead_letters', 'Dead letters of a consumer group.', ({ deadLetters }) => deadLetters);
  }

  /** The hash is a label: a store of metrics then also keeps hashes with which the audit can be compared. */
  #readAuditHeads({ audit }: Operations): void {
    const gauge = new Gauge({
      name: 'swarm_audit_head',
      help: 'The newest entry of the audit of a namespace (seq), with its hash, as of the last full hour of this replica.',
      labelNames: ['namespace', 'hash'],
      registers: [this.#metrics],
      collect: () => {
        gauge.reset();
        for (const { namespace, hash, seq } of audit.heads) gauge.set({ namespace, hash }, seq);
      },
    });
  }

  #readGauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.#metrics],
      collect: () => {
        gauge.set(read());
      },
    });
  }

  #readNumber(name: string, help: string, read: () => number): void {
    const counter = new Counter({
      name,
      help,
      registers: [this.#metrics],
      collect: () => {
        counter.reset();
        counter.inc(read());
      },
    });
  }
}

/** The counter of each label, beginning at 0: a rate can only be taken of what has been there before. */
function resolved<K extends string>(labels: readonly K[], counterOf: (label: K) => Counter.Internal) {
  const counters = labels.map((label) => {
    const counter = counterOf(label);
    counter.inc(0);
    return [label, counter] as const;
  });
  return Object.fromEntries(counters) as Record<K, Counter.Internal>;
}

let processMetrics: Metrics | null = null;

/** One for the process, however many servers are in it: collecting twice would measure twice, and never ends. */
function metricsOfProcess(): Metrics {
  if (processMetrics === null) {
    processMetrics = new Metrics();
    collectDefaultMetrics({ register: processMetrics });
    // By the rules of Prometheus only counters end in `_total`. These gauges are the sums of others.
    for (const { name, type } of processMetrics.getMetricsAsArray()) {
      if (String(type) !== 'counter' && name.endsWith('_total')) processMetrics.removeSingleMetric(name);
    }
  }
  return processMetrics;
}

/** `GET /metrics`, without a token, and a count of every answer. */
export const metricsSurface: Surface = (app, { core: { clock, metrics } }) => {
  app.addHook('onResponse', (request, reply, done) => {
    const { url, config } = request.routeOptions;
    metrics.answered({
      route: url ?? UNKNOWN_ROUTE,
      method: request.method,
      status: reply.statusCode,
      ms: config.stream === true ? null : reply.elapsedTime,
    });
    done();
  });
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text(clock)));
};
