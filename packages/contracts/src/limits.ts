// Every limit that a caller can run into, in one place. Counts and lengths are INVALID_INPUT, bytes PAYLOAD_TOO_LARGE.

export const LIMITS = {
  /** Longest namespace, agent name, role, group or label key, in characters. */
  nameLength: 63,
  /** Longest id of a capability, in characters. */
  capabilityIdLength: 128,
  /** Longest topic or topic pattern, in characters. */
  topicLength: 255,
  /** Most tokens in a topic or topic pattern. */
  topicTokens: 16,
  /** Largest input of a call that has no limit of its own, in bytes of JSON: room for 32 labels with every character escaped. */
  inputBytes: 128 * 1024,
  /** Largest agent registration, in bytes of JSON. */
  registrationBytes: 512 * 1024,
  capabilities: 256,
  /** Longest pattern of capabilities in a policy, in characters. */
  capabilityPatternLength: 129,
  /** Most topic patterns that an agent declares each way. */
  declaredPatterns: 64,
  labels: 32,
  labelValueLength: 256,
  descriptionLength: 4096,
  healthUrlLength: 2048,
  versionLength: 256,
  /** Shortest and longest lease of an agent, in milliseconds. */
  leaseMinMs: 5000,
  leaseMaxMs: 24 * 3_600_000,
  /** Longest note of an agent, in characters. */
  noteLength: 256,
  tags: 32,
  tagLength: 64,
  reasonLength: 1024,
  searchLength: 256,
  cursorLength: 512,
  /** Deepest nesting of free JSON (capability schemas, event data). */
  jsonDepth: 64,
  /** Most agents in one page of a query. */
  pageSize: 500,
  /** Most consumer groups in one page: with the most topics and the longest, 4 MiB. */
  groupsPage: 250,
  /** About the longest answer of a call that answers with neither an agent nor a page, in bytes of JSON. */
  answerBytes: 64 * 1024,
  /** Most bytes of JSON of what a page lists: it ends early, after at least one. */
  pageBytes: 4 * 1024 * 1024,
  /** Most agents in one snapshot chunk of a watch, and most bytes of JSON in one that has more than one agent. */
  snapshotChunk: 500,
  snapshotChunkBytes: 512 * 1024,
  /** Largest event, in bytes of JSON. */
  eventBytes: 256 * 1024,
  /** About the longest trace: what led to an event and what it led to, and the groups. */
  traceBytes: 8 * 1024 * 1024,
  /** Audiences of streams that a replica reports, and callers that it names of each. */
  streamAudiences: 1000,
  audienceCallers: 5,
  /** Events that led to one, and events that it led to, in a trace. */
  traceCauses: 50,
  traceEffects: 200,
  /** About the longest preview: the names of 1,000 groups. */
  previewBytes: 128 * 1024,
  publishManyEvents: 1000,
  publishManyBytes: 4 * 1024 * 1024,
  /** About the longest answer to a list of events. */
  publishManyAnswerBytes: 1024 * 1024,
  subjectLength: 1024,
  correlationLength: 256,
  /** Most extension attributes of an event. */
  extensions: 64,
  /** Most topic patterns of one subscription or consumer group. */
  subscribedPatterns: 64,
  consumerLength: 128,
  /** Most deliveries that one member of a consumer group has open at a time. */
  inFlight: 1000,
  /** Most deliveries that are acknowledged with one call. */
  settledAtOnce: 1000,
  /** Most dead letters of a consumer group, and most bytes of their events as JSON: when one more dies, the oldest go. */
  deadLetters: 10_000,
  deadLetterBytes: 64 * 1024 * 1024,
  /** Failed attempts that are kept of one event, the newest. */
  failedAttempts: 50,
  /** Reasons that a group or an event about its dead letters names, the commonest. */
  deathReasons: 5,
  /** Longest wait of a claim, in milliseconds. */
  claimWaitMs: 30_000,
  /** Largest policy, in bytes of JSON: many roles with long lists come to more than a registration. */
  policyBytes: 4 * 1024 * 1024,
  policyRoles: 200,
  /** Versions of a policy that are kept. */
  policyHistory: 100,
  /** Agents, and streams, that the effect of a change of policy names. */
  policyLosses: 100,
  /** Most patterns in each list of a role's policy. */
  policyPatterns: 200,
  tokenNameLength: 128,
  /** Longest token that signs a browser in, in characters. */
  tokenLength: 512,
  /** Longest source of an operator: `/operators/`, and the name of a token with each character encoded as bytes of UTF-8. */
  actorLength: 1536,
  /** Most entries of the audit in one page: with the largest values, 4 MiB. */
  auditPage: 100,
  /** Largest value that the audit keeps as it is, in bytes of JSON; of a larger one it keeps the hash. */
  auditedBytes: 16 * 1024,
  /** Most namespaces in one page. */
  namespacesPage: 100,
  /** Most points in each series of `stats.series`. */
  seriesPoints: 10_000,
  /** Longest window of `stats.traffic`, in milliseconds. */
  trafficWindowMs: 3_600_000,
  /** Most edges of `stats.traffic`: in a namespace, and of one source. */
  trafficEdges: 10_000,
  trafficEdgesOfSource: 200,
  /** Most topics that the traffic of one source names in full. */
  trafficTopicsOfSource: 100,
  /** Most groups that an overview has. */
  overviewGroups: 1000,
  /** Longest id of a task, in characters. */
  taskIdLength: 64,
  /** Longest title of a goal or a task. */
  titleLength: 256,
  goalDescriptionLength: 16_384,
  /** Most failed attempts at a task that a step may allow. */
  taskAttempts: 100,
  /** Longest time that a goal, or one attempt at a task, may be given, in milliseconds. */
  goalDeadlineMs: 30 * 24 * 3_600_000,
  /** Most tasks of a plan. */
  planTasks: 1000,
  /** About the longest view of a plan, in bytes of JSON. */
  planViewBytes: 8 * 1024 * 1024,
  /** Longest error of a task. */
  taskErrorLength: 4096,
  /** Longest text of a question to people, in characters. */
  questionLength: 4096,
  questionOptions: 50,
  questionOptionIdLength: 64,
  questionOptionLength: 256,
  /** Most open questions of an agent: the core withdraws what comes beyond. */
  openQuestions: 100,
  /** Most questions in one page; a page ends early, with at most about `pageBytes`. */
  questionsPage: 100,
  /** Largest JSON Schema that results, inputs and answers are compared with, in bytes of JSON, and its deepest nesting. */
  schemaBytes: 32 * 1024,
  schemaDepth: 32,
  /** Longest `pattern` in such a schema, and longest text that is compared with one, in characters. */
  schemaPatternLength: 256,
  schemaPatternText: 4096,
  /** How long one comparison with a schema may take, in milliseconds. */
  schemaCheckMs: 50,
} as const;
