// What the Architect may do on the bus, and what it needs to: declared once, for its registration and for `/ready`.
import { architectEvents, type PolicyAction, questionEvents } from '@hypercode/contracts';

export interface Right {
  readonly action: PolicyAction;
  /** A topic or a pattern. `{name}` stands for the name of the Architect. */
  readonly topic: string;
  /** Without it the Architect works, but some publishers are not notified. */
  readonly isOptional?: boolean;
}

/** What it publishes itself. Goals come over its HTTP routes. */
const PUBLISHES: readonly Right[] = [
  { action: 'publish', topic: 'goal.submitted' },
  { action: 'publish', topic: 'goal.cancelled' },
  { action: 'publish', topic: 'goal.rejected', isOptional: true },
  { action: 'publish', topic: 'plan.created' },
  { action: 'publish', topic: 'plan.completed' },
  { action: 'publish', topic: 'plan.failed' },
  { action: 'publish', topic: 'plan.cancelled' },
  { action: 'publish', topic: 'plan.retry', isOptional: true },
  { action: 'publish', topic: 'task.*.assigned' },
  { action: 'publish', topic: 'task.*.cancelled' },
  // Policies that were stored before these, or `plan.retry`, were there do not have them.
  { action: 'publish', topic: 'task.*.rejected', isOptional: true },
  { action: 'publish', topic: 'task.*.stalled', isOptional: true },
  { action: 'publish', topic: 'question.{name}.asked', isOptional: true },
  { action: 'publish', topic: 'question.{name}.withdrawn', isOptional: true },
  { action: 'publish', topic: 'architect.{name}.checkpoint' },
];

/** Without the questions of agents, deadlines do not stand still for them, and no plan is approved. */
const FOLLOWS: readonly Right[] = [
  ...[...Object.keys(architectEvents.schemas), 'architect.*.checkpoint'].map(subscribing),
  ...Object.keys(questionEvents.schemas).map((topic) => ({ ...subscribing(topic), isOptional: true })),
];

/** The rights of the Architect of this name. */
export const rightsOf = (name: string): Right[] =>
  [...PUBLISHES, ...FOLLOWS].map((right) => ({ ...right, topic: right.topic.replace('{name}', name) }));

/** The topics that it declares in its registration. */
export function declaredTopics(name: string): { publishes: string[]; subscribes: string[] } {
  const topicsOf = (action: PolicyAction): string[] =>
    rightsOf(name).flatMap((right) => (right.action === action ? [right.topic] : []));
  return { publishes: topicsOf('publish'), subscribes: topicsOf('subscribe') };
}

function subscribing(topic: string): Right {
  return { action: 'subscribe', topic, ...(topic === 'task.*.stalled' ? { isOptional: true } : {}) };
}
