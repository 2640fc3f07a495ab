// The map as a table: a row for each source, a column for each reader, and in each cell how many events went that way.
import { shown } from '../../parts/agent-words.ts';
import { countText, counted } from '../../parts/duration.ts';
import { PartyName } from './party.tsx';
import type { Party, Talk, Talks } from './talks.ts';

interface MatrixProps {
  readonly talks: Talks;
  readonly selected: string | undefined;
  readonly onSelect: (key: string) => void;
}

/** A larger table is found by searching. */
const MOST = 80;

export function Matrix({ talks: { talks, senders, readers, most }, selected, onSelect }: MatrixProps) {
  const byKey = new Map(talks.map((talk) => [talk.key, talk]));
  const rows = senders.slice(0, MOST);
  const columns = readers.slice(0, MOST);
  const left = senders.length - rows.length + readers.length - columns.length;
  return (
    <div className="w-max min-w-full px-5 py-4">
      <table aria-label="Who talks to whom" className="border-separate border-spacing-0">
        <thead>
          <tr>
            <th className="sticky left-0 z-10 bg-sheet pr-4 pb-2 text-left align-bottom text-[12px] font-normal text-faint">
              from ↓ to →
            </th>
            {columns.map((reader) => (
              <th key={reader.key} scope="col" className="h-36 w-9 min-w-9 pb-2 align-bottom font-normal">
                <span className="mx-auto flex max-h-36 [writing-mode:vertical-rl] rotate-180 items-center">
                  <PartyName party={reader} />
                </span>
              </th>
            ))}
            <th aria-hidden="true" className="w-full" />
          </tr>
        </thead>
        <tbody>
          {rows.map((sender) => (
            <tr key={sender.key} className="group">
              <th
                scope="row"
                className="sticky left-0 z-10 max-w-56 min-w-40 bg-sheet pr-4 text-left font-normal group-hover:text-accent"
              >
                <PartyName party={sender} />
              </th>
              {columns.map((reader) => (
                <Cell
                  key={reader.key}
                  talk={byKey.get(`${sender.key}>${reader.key}`)}
                  sender={sender}
                  reader={reader}
                  most={most}
                  selected={selected}
                  onSelect={onSelect}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && (
        <p className="mt-3 text-faint">
          The {MOST} busiest of each side. {counted(left, 'more', 'more')}: search for a name or a topic.
        </p>
      )}
    </div>
  );
}

interface CellProps {
  readonly talk: Talk | undefined;
  readonly sender: Party;
  readonly reader: Party;
  readonly most: number;
  readonly selected: string | undefined;
  readonly onSelect: (key: string) => void;
}

function Cell({ talk, sender, reader, most, selected, onSelect }: CellProps) {
  if (talk === undefined)
    return (
      <td className="p-px">
        <span className={`block h-8 w-full rounded-sm ${sender.key === reader.key ? 'bg-line/50' : 'bg-line/20'}`} />
      </td>
    );
  const share = Math.log(talk.count + 1) / Math.log(most + 1);
  return (
    <td className="p-px">
      <button
        type="button"
        aria-pressed={talk.key === selected}
        aria-label={`${counted(talk.count, 'event')} from ${sender.kind} ${shown(sender.name)} to ${reader.kind} ${shown(reader.name)}`}
        onClick={() => onSelect(talk.key)}
        // The wash is thin enough that the figure is read on it in each theme.
        style={{ background: `color-mix(in srgb, var(--accent) ${Math.round(8 + share * 22)}%, var(--sheet))` }}
        className={`block h-8 w-full rounded-sm text-[11px] tabular-nums hover:outline hover:outline-accent ${talk.key === selected ? 'outline-2 outline-accent' : ''}`}
      >
        {short(talk.count)}
      </button>
    </td>
  );
}

/** In at most four characters. */
function short(count: number): string {
  if (count < 1000) return countText(count);
  const [value, unit] = count < 1_000_000 ? [count / 1000, 'k'] : [count / 1_000_000, 'M'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}${unit}`;
}
