// An event as a command or a program that publishes it again, to paste. What an agent wrote must not become part of the command: it is JSON
// of printable ASCII alone, on stdin, in a here-document that expands nothing.
import type { SwarmEvent } from '@hypercode/contracts';
import { shellWord } from '../../parts/shell-word.ts';

export const COPY_KINDS = ['curl', 'cli', 'typescript', 'python'] as const;
export type CopyKind = (typeof COPY_KINDS)[number];

interface CopyTarget {
  /** The address of the core. */
  readonly url: string;
  readonly namespace: string;
}

/** A line of its own can only be this word when it is the whole of the JSON, which is an object. */
const END = 'SWARM_EVENT';

export function copyOf(kind: CopyKind, event: SwarmEvent, { url, namespace }: CopyTarget): string {
  const json = plainJson(again(event));
  const events = `${url}/v1/events?namespace=${encodeURIComponent(namespace)}`;
  switch (kind) {
    case 'curl':
      return [
        `curl -sS ${shellWord(events)} -H "Authorization: Bearer $SWARM_TOKEN" \\`,
        `  -H 'Content-Type: application/json' --data-binary @- <<'${END}'`,
        json,
        END,
        '',
      ].join('\n');
    case 'cli':
      return [
        `SWARM_TOKEN="$SWARM_TOKEN" swarm --url ${shellWord(url)} --namespace ${shellWord(namespace)} events pub --file - <<'${END}'`,
        json,
        END,
        '',
      ].join('\n');
    case 'typescript':
      return [
        `import { createSwarmClient } from '@hypercode/client';`,
        '',
        `const token = process.env['SWARM_TOKEN'] ?? '';`,
        `const client = createSwarmClient({ url: ${plainJson(url)}, token, namespace: ${plainJson(namespace)} });`,
        // A text, since a literal would lose a key `__proto__`.
        `const event = JSON.parse(${plainJson(json)});`,
        'console.log(await client.bus.publish(event));',
        'await client.close();',
        '',
      ].join('\n');
    case 'python':
      return [
        'import os',
        'import urllib.request',
        '',
        `event = ${plainJson(json)}`,
        'headers = {"Authorization": "Bearer " + os.environ["SWARM_TOKEN"], "Content-Type": "application/json"}',
        `request = urllib.request.Request(${plainJson(events)}, event.encode(), headers)`,
        'print(urllib.request.urlopen(request).read().decode())',
        '',
      ].join('\n');
  }
}

/** What is published again: all that the publisher chose but the id and the time, so that it is a new event. */
const again = ({ topic, data, subject, correlationId, causationId, traceparent, extensions }: SwarmEvent) => ({
  topic,
  data,
  ...(subject === undefined ? {} : { subject }),
  ...(correlationId === undefined ? {} : { correlationId }),
  ...(causationId === undefined ? {} : { causationId }),
  ...(traceparent === undefined ? {} : { traceparent }),
  ...(extensions === undefined ? {} : { extensions }),
});

/**
 * JSON in one line of printable ASCII: a terminal takes nothing in it for a key, no text is turned around, and an interactive shell sees no `!`
 * of its history. A literal of JavaScript and of Python as well.
 */
const plainJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/[^ -~]|!/gu, (found) =>
    Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
      '',
    ),
  );
