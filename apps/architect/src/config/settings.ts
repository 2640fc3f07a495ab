// Every variable of the environment that the Architect reads.
import { Name } from '@hypercode/contracts';
import { address, flag, host, integer, logLevel, milliseconds, port, setting, token } from '@hypercode/settings';
import { z } from 'zod';

const name = {
  schema: Name,
  expects: 'lower-case letters, digits and "-", starting and ending with a letter or digit',
};
const text = { schema: z.string().max(2048), expects: 'a text' };

export const SETTINGS = {
  swarmUrl: setting({
    variable: 'SWARM_URL',
    ...address(['http:', 'https:']),
    default: 'http://127.0.0.1:7700',
    meaning: 'Where the core is.',
  }),
  joinToken: setting({
    variable: 'SWARM_JOIN_TOKEN',
    ...token,
    default: null,
    defaultMeans: 'none; must be given',
    meaning: 'A join token for the role `architect`.',
  }),
  namespace: setting({
    variable: 'ARCHITECT_NAMESPACE',
    ...name,
    default: 'default',
    meaning: 'The swarm that it works in.',
  }),
  name: setting({
    variable: 'ARCHITECT_NAME',
    ...name,
    default: 'architect',
    meaning: 'Its name as an agent. Those who share a name are one Architect: one is active, the others stand by.',
  }),
  standby: setting({
    variable: 'ARCHITECT_STANDBY',
    ...flag,
    default: 'false',
    meaning:
      'Whether it begins as a standby, and takes the name over when the active one has left or lost its lease; else it takes the name over at once.',
  }),
  host: setting({
    variable: 'ARCHITECT_HOST',
    ...host,
    default: '127.0.0.1',
    meaning: 'Address to listen on; `0.0.0.0` or `::` for all; then give `ARCHITECT_TOKEN`, too.',
  }),
  port: setting({
    variable: 'ARCHITECT_PORT',
    ...port,
    default: '7710',
    meaning: 'Port to listen on; 0 picks a free one.',
  }),
  token: setting({
    variable: 'ARCHITECT_TOKEN',
    ...token,
    default: null,
    meaning:
      'What those who submit goals and look at plans send as `Authorization: Bearer`. Absent: whoever reaches the port may, by an IP address, as `localhost` or by `ARCHITECT_HOST`.',
  }),
  healthUrl: setting({
    variable: 'ARCHITECT_HEALTH_URL',
    ...address(['http:', 'https:']),
    secret: false,
    default: null,
    meaning: 'Where the core may probe its `/health`. Absent: the core goes by heartbeats.',
  }),
  logLevel: setting({ variable: 'ARCHITECT_LOG_LEVEL', ...logLevel, default: 'info', meaning: 'How much is logged.' }),
  maxAttempts: setting({
    variable: 'ARCHITECT_MAX_ATTEMPTS',
    ...integer(1, 100),
    default: '5',
    meaning: 'Attempts at a task before its plan fails.',
  }),
  taskDeadlineMs: setting({
    variable: 'ARCHITECT_TASK_DEADLINE_MS',
    ...milliseconds(),
    default: '300000',
    meaning: 'How long an agent has for a task before it goes to another.',
  }),
  maxTasksPerAgent: setting({
    variable: 'ARCHITECT_TASKS_PER_AGENT',
    ...integer(1, 1000),
    default: '4',
    meaning: 'Tasks that an agent has at a time, unless its label `max-tasks` says otherwise.',
  }),
  patienceMs: setting({
    variable: 'ARCHITECT_PATIENCE_MS',
    ...milliseconds(),
    default: '60000',
    meaning: 'How long a task waits for an agent that can do it before its plan fails.',
  }),
  retryDelayMs: setting({
    variable: 'ARCHITECT_RETRY_DELAY_MS',
    ...milliseconds(),
    default: '500',
    meaning: 'From the first failure of a task to its next attempt; doubles with each, up to a minute.',
  }),
  modelUrl: setting({
    variable: 'ARCHITECT_MODEL_URL',
    ...address(['http:', 'https:']),
    default: null,
    meaning:
      'Base address of an OpenAI-compatible API, such as `http://127.0.0.1:11434/v1`. Absent: plans are made without a model.',
  }),
  model: setting({
    variable: 'ARCHITECT_MODEL',
    ...text,
    default: null,
    meaning: 'The model to ask; must be given with `ARCHITECT_MODEL_URL`, and only with it.',
  }),
  modelKey: setting({
    variable: 'ARCHITECT_MODEL_KEY',
    ...text,
    secret: true,
    default: null,
    meaning: 'Key for that API; only with `ARCHITECT_MODEL_URL`.',
  }),
};
