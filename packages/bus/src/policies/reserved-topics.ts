// The topics that only the core publishes to, whatever a policy allows.
import { SYSTEM_TOPIC } from '@hypercode/contracts';

/** Named as the rule that decided, where no rule of a policy did. */
export const RESERVED_RULE = `${SYSTEM_TOPIC}.>`;

export const isReserved = (topic: string): boolean =>
  topic.startsWith(SYSTEM_TOPIC) && (topic.length === SYSTEM_TOPIC.length || topic[SYSTEM_TOPIC.length] === '.');
