// What the Architect may do on the bus, and what it needs to: declared once, for its registration and for `/ready`.
import { architectEvents, type PolicyAction } from '@hypercode/contracts';

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
  // Policies that were stored before this event, or `plan.retry`, was there do not have it.
  { action: 'publish', topic: 'task.*.rejected', isOptional: true },
  { action: 'publish', topic: 'architect.{name}.checkpoint' },
];

const FOLLOWS: readonly Right[] = [...Object.keys(architectEvents.schemas), 'architect.*.checkpoint'].map((topic) => ({
  action: 'subscribe',
  topic,
}));

/** The rights of the Architect of this name. */
export const rightsOf = (name: string): Right[] =>
  [...PUBLISHES, ...FOLLOWS].map((right) => ({ ...right, topic: right.topic.replace('{name}', name) }));

/** The topics that it declares in its registration. */
export function declaredTopics(name: string): { publishes: string[]; subscribes: string[] } {
  const topicsOf = (action: PolicyAction): string[] =>
    rightsOf(name).flatMap((right) => (right.action === action ? [right.topic] : []));
  return { publishes: topicsOf('publish'), subscribes: topicsOf('subscribe') };
}
