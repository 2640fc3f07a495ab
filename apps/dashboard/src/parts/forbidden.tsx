// In place of a screen that the signed-in token may not read.
import { useCaller, useNamespace } from '../swarm/swarm-context.tsx';
import { shown } from './agent-words.ts';
import { CliLine } from './cli-line.tsx';
import { Empty } from './panel.tsx';

interface ForbiddenProps {
  /** What is here, as the subject of a sentence in the plural: `The tokens`. */
  readonly what: string;
  /** The line that lists the same, after `swarm`. */
  readonly cli: readonly string[];
}

export function Forbidden({ what, cli }: ForbiddenProps) {
  const caller = useCaller();
  const namespace = useNamespace();
  return (
    <Empty title={`${what} of ${namespace} are for admins.`}>
      <p>
        You are signed in with {caller === null ? 'a token' : `the ${caller.kind} token ${shown(caller.name)}`}. To see
        them, sign out and sign in with an admin token, or use one on the command line:
      </p>
      <div className="mt-3 text-left text-ink">
        <CliLine words={cli} />
      </div>
    </Empty>
  );
}
