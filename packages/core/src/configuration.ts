// What a core runs with. The process reads it from the environment, a test or another program writes it down.

/** Durations are in milliseconds; what is not given is null. docs/configuration.md has each field by its variable. */
export interface CoreConfiguration {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** The folder of the embedded database and of the credentials; it is used while `databaseUrl` is null. */
  readonly dataDir: string;
  /** PostgreSQL; null for the embedded database. */
  readonly databaseUrl: string | null;
  /** Redis, or several nodes of one Redis Cluster separated by commas; null keeps events in the database. */
  readonly redisUrl: string | null;
  /** Begins every key and channel in Redis. */
  readonly redisPrefix: string;
  /** Null takes the one of the data folder; with `databaseUrl` there is then no administrator. */
  readonly adminToken: string | null;
  /** Null takes the one of the data folder; with `databaseUrl` no agent can join by it. */
  readonly joinToken: string | null;
  readonly leaseMs: number;
  readonly expireAfterMs: number;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  /** CIDR ranges that probes may reach; null for those of the mode, embedded or server. */
  readonly probeAllow: readonly string[] | null;
  readonly circuitThreshold: number;
  readonly circuitOpenMs: number;
  readonly dedupWindowMs: number;
  /** Whether an event is found by its id without a search of the log. */
  readonly eventIndex: boolean;
  /** Records of settled deliveries that are kept, of a namespace; 0 keeps none. */
  readonly journalMaxBytes: number;
  readonly changelogMax: number;
  readonly changelogMaxAgeMs: number;
  /** How long the audit is kept. */
  readonly auditMaxAgeMs: number;
  readonly eventsMax: number;
  readonly eventsMaxBytes: number;
  readonly eventsMaxAgeMs: number;
  /** Events a second for each agent; 0 is no limit. */
  readonly ratePublish: number;
  /** Bytes of events a second for each agent; 0 is no limit. */
  readonly ratePublishBytes: number;
  /** Registrations a second for each name, and 50 times as many for each token; updates a second for each agent. 0 is no limit. */
  /** Consumer groups of a namespace. */
  readonly groupsMax: number;
  readonly rateRegister: number;
  /** Streams that an agent may have open at one replica; 0 is no limit, of streams, patterns and calls. */
  readonly streamsMax: number;
  readonly corsOrigins: readonly string[];
  /** Where users reach the dashboard, such as `https://swarm.example.com`; null: at loopback names alone. */
  readonly publicUrl: string | null;
  /** Whether MCP is served at `/mcp`. */
  readonly mcp: boolean;
  /** How long a session of a browser lasts. */
  readonly sessionMs: number;
  /** The folder of the dashboard as it was built; null: the core serves none, and no browser signs in. */
  readonly ui: string | null;
}
