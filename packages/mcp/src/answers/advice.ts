// What a model can do about a refusal, in words of the core's own.
import type { ErrorCode, SwarmError } from '@hypercode/contracts';

const ADVICE: Readonly<Record<ErrorCode, string>> = {
  INVALID_INPUT:
    'an argument is missing or wrong. `untrusted.details` lists the path of each, and the reason. Correct it and call again.',
  UNAUTHENTICATED: 'the token is not valid any more. Ask your operator for another one; calling again does not help.',
  FORBIDDEN:
    'this token may not do that. `whoami` shows what it may do. With a join token, call `join` first, and then give `as` with that name.',
  ACL_DENIED:
    'the policy of the swarm does not allow it for your role. `explain` shows the rule. Use another topic or group, or ask a person.',
  NOT_FOUND: 'there is nothing of that name or id. Check it with `find_agents`, `read_events` or `get_plan`.',
  CONFLICT:
    'it does not fit the present state. `untrusted.message` has the reason. Read the present state and decide again.',
  IMMUTABLE_FIELD: 'an agent of this name has another role, which cannot change. Join under another name.',
  UNROUTABLE:
    'no agent listens to this topic, so nothing was stored. `find_agents` shows who is there. Try later, or publish without `mandatory`.',
  FENCED: 'another process runs the agent of this name now. Stop acting as it. To go on, join under another name.',
  COMPACTED: 'the events after this position were removed. Leave `after` out to begin with the oldest that is kept.',
  PAYLOAD_TOO_LARGE: 'it is too large. Send less at once, or store it elsewhere and send a reference.',
  RATE_LIMITED: 'too many calls at a time. Wait for `retryAfterMs` milliseconds, and make fewer calls at once.',
  CIRCUIT_OPEN:
    'what this agent publishes is refused for now, since it has failed repeatedly or an operator has stopped it. Wait for `retryAfterMs` milliseconds; reading still works.',
  UNAVAILABLE:
    'a store does not answer, and whether the call took effect is not known. Call again in some seconds with the same id or name.',
  INTERNAL: 'the core has a fault. Tell your operator; calling again does not help.',
};

/** Where one tool needs another answer. */
const OF_TOOL: Readonly<Partial<Record<string, Partial<Record<ErrorCode, string>>>>> = {
  join: {
    FORBIDDEN:
      'this token cannot join under that name or role: the name belongs to another token, or the token is for other roles. Choose another name.',
    FENCED: 'a process of its own runs the agent of this name. Join under another name.',
  },
  claim_work: {
    CONFLICT:
      'the group has other topics or another deadline. Leave `topics` and `ackDeadlineMs` out to join it as it is.',
    NOT_FOUND: 'the group was deleted. Leave `groupId` out to make a new one.',
  },
};

export const adviceOn = ({ code }: Pick<SwarmError, 'code'>, tool: string): string =>
  OF_TOOL[tool]?.[code] ?? ADVICE[code];
