// Where the routes of goals differ from their declarations.
import { DEFAULT_NAMESPACE, type SubmittedGoal } from '@hypercode/contracts';
import type { Variation } from './declared-route.ts';

export const submission: Variation = {
  headersOf: ({ planId }: SubmittedGoal, { namespace = DEFAULT_NAMESPACE }) => {
    const query = namespace === DEFAULT_NAMESPACE ? '' : `?namespace=${encodeURIComponent(String(namespace))}`;
    return { location: `/v1/plans/${planId}${query}` };
  },
};
