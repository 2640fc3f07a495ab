// Whom a source stands for.

export interface SourceParts {
  readonly kind: 'agent' | 'operator' | 'core';
  /** Of the agent, or of the operator's token. */
  readonly name: string;
}

/** The parts of a source that the core has set: `/agents/<namespace>/<name>`, `/operators/<name>` or `/core`. */
export function callerOf(source: string): SourceParts {
  const [, room, ...path] = source.split('/');
  const last = path.at(-1) ?? '';
  if (room === 'agents') return { kind: 'agent', name: last };
  return room === 'operators' ? { kind: 'operator', name: decodeURIComponent(last) } : { kind: 'core', name: 'core' };
}
