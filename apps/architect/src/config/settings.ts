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
    meaning: 'Address of the core.',
  }),
  joinToken: setting({
    variable: 'SWARM_JOIN_TOKEN',
    ...token,
    default: null,
    defaultMeans: 'none; required',
    meaning: 'A join token for the role `architect`.',
  }),
  namespace: setting({
    variable: 'ARCHITECT_NAMESPACE',
    ...name,
    default: 'default',
    meaning: 'Namespace in which the Architect works.',
  }),
  name: setting({
    variable: 'ARCHITECT_NAME',
    ...name,
    default: 'architect',
    meaning:
      'Name of the agent. Processes with the same name form one Architect: one is active, the others are standbys.',
  }),
  standby: setting({
    variable: 'ARCHITECT_STANDBY',
    ...flag,
    default: 'false',
    meaning:
      'Whether the process starts as a standby, which takes over when the active Architect leaves or loses its lease. Otherwise it takes over at once.',
  }),
  host: setting({
    variable: 'ARCHITECT_HOST',
    ...host,
    default: '127.0.0.1',
    meaning:
      'Address to listen on; `0.0.0.0` or `::` for all. With any address other than loopback, set `ARCHITECT_TOKEN` too.',
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
      'Token that clients send as `Authorization: Bearer` to submit goals and read plans. Absent: any client may, if it addresses the Architect by an IP address, as `localhost` or by `ARCHITECT_HOST`.',
  }),
  healthUrl: setting({
    variable: 'ARCHITECT_HEALTH_URL',
    ...address(['http:', 'https:']),
    secret: false,
    default: null,
    meaning: 'Address at which the core probes `/health` of the Architect. Absent: heartbeats alone decide.',
  }),
  logLevel: setting({
    variable: 'ARCHITECT_LOG_LEVEL',
    ...logLevel,
    default: 'info',
    meaning: 'Lowest level of log lines that are written.',
  }),
  maxAttempts: setting({
    variable: 'ARCHITECT_MAX_ATTEMPTS',
    ...integer(1, 100),
    default: '5',
    meaning:
      'Failed attempts at a task before its plan fails. An attempt whose agent drained, was restarted or never began does not count; of these there may be five times as many.',
  }),
  taskDeadlineMs: setting({
    variable: 'ARCHITECT_TASK_DEADLINE_MS',
    ...milliseconds(),
    default: '300000',
    meaning:
      'Deadline of one attempt at a task, after which the task goes to another agent. Each report of progress moves it.',
  }),
  acceptMs: setting({
    variable: 'ARCHITECT_ACCEPT_MS',
    ...milliseconds(),
    default: '15000',
    meaning:
      'How long an agent has to accept a task before the task goes to the next agent; one with a lease of more than 30 s has longer, in proportion. An agent that works on another task keeps it until another agent is free.',
  }),
  maxTasksPerAgent: setting({
    variable: 'ARCHITECT_TASKS_PER_AGENT',
    ...integer(1, 1000),
    default: '4',
    meaning: 'Tasks that one agent is given at a time. The label `max-tasks` of an agent overrides it.',
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
    meaning:
      'Delay between the first failure of a task and the next attempt. It doubles with each failure, up to a minute.',
  }),
  stallMs: setting({
    variable: 'ARCHITECT_STALL_MS',
    ...milliseconds(),
    default: '60000',
    meaning:
      'After how long without a report an agent that has begun a task is shown as stalled. The agent keeps the task until its deadline.',
  }),
  questionPatienceMs: setting({
    variable: 'ARCHITECT_QUESTION_PATIENCE_MS',
    ...milliseconds(),
    default: '86400000',
    meaning:
      'How long the deadlines of a task and of its goal stand still, in all, while people are asked about the task.',
  }),
  modelUrl: setting({
    variable: 'ARCHITECT_MODEL_URL',
    ...address(['http:', 'https:']),
    default: null,
    meaning:
      'Base address of an OpenAI-compatible API, such as `http://127.0.0.1:11434/v1`. Absent: the Architect plans without a model.',
  }),
  model: setting({
    variable: 'ARCHITECT_MODEL',
    ...text,
    default: null,
    meaning: 'Name of the model; required with `ARCHITECT_MODEL_URL`, and only valid with it.',
  }),
  modelKey: setting({
    variable: 'ARCHITECT_MODEL_KEY',
    ...text,
    secret: true,
    default: null,
    meaning: 'Key for that API; only valid with `ARCHITECT_MODEL_URL`.',
  }),
};
