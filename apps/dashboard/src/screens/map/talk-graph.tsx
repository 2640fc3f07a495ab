// The map as a graph. Loaded when it is wanted.
import { useMemo } from 'react';
import { Graph } from '../../parts/graph/graph.tsx';
import { countText } from '../../parts/duration.ts';
import { PartyName } from './party.tsx';
import type { Party, Talk } from './talks.ts';

interface TalkGraphProps {
  readonly parties: readonly Party[];
  readonly talks: readonly Talk[];
  readonly selected: string | undefined;
  readonly onSelect: (key: string) => void;
  readonly onParty: (name: string) => void;
}

const BOX_PX = { width: 150, height: 34 };

export function TalkGraph({ parties, talks, selected, onSelect, onParty }: TalkGraphProps) {
  const byKey = useMemo(() => new Map(parties.map((one) => [one.key, one])), [parties]);
  const boxes = useMemo(() => parties.map(({ key }) => ({ id: key, ...BOX_PX })), [parties]);
  const lines = useMemo(
    () => talks.map(({ key, from, to, count }) => ({ id: key, from: from.key, to: to.key, label: countText(count) })),
    [talks],
  );
  return (
    <Graph
      label="Who talks to whom, as a graph"
      fills
      boxes={boxes}
      lines={lines}
      selectedLine={selected}
      onLine={onSelect}
      onBox={(key) => onParty(byKey.get(key)?.key ?? '')}
      draw={(key) => {
        const party = byKey.get(key);
        return party === undefined ? null : <PartyName party={party} />;
      }}
    />
  );
}
