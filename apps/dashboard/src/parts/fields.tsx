// Fields by which lists are filtered.
import { Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import { systemClock } from '@hypercode/clock';
import { shown } from './agent-words.ts';

interface SearchFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** How long a person pauses before the address follows, in milliseconds. */
const TYPING_MS = 150;

export function SearchField({ label, value, onChange }: SearchFieldProps) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return undefined;
    return systemClock.schedule(TYPING_MS, () => onChange(typed));
  }, [typed, value, onChange]);
  return (
    <div className="relative">
      <Search className="pointer-events-none absolute top-1.5 left-2 size-4 text-faint" aria-hidden="true" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        className="h-7 w-56 rounded border border-strong-line/50 bg-raised pr-2 pl-7 placeholder:text-faint"
      />
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value | undefined;
  readonly values: readonly Value[];
  readonly onChange: (value: Value | undefined) => void;
  /** What no choice means. Default: any. */
  readonly none?: string;
  /** What a person reads in place of a value. Default: the value. */
  readonly wordOf?: (value: Value) => string;
}

/** One of few values, or any. */
export function Choice<Value extends string>(props: ChoiceProps<Value>) {
  const { label, value, values, onChange, none = 'any', wordOf = shown } = props;
  return (
    <label
      className={`inline-flex h-7 items-center rounded border pl-2 ${value === undefined ? 'border-strong-line/50 bg-raised text-soft' : 'border-accent bg-accent-wash'}`}
    >
      <span className="text-faint">{label}</span>
      <select
        className="h-full max-w-44 cursor-pointer bg-transparent px-1"
        value={value ?? ''}
        onChange={(event) => onChange(values.find((one) => one === event.target.value))}
      >
        <option value="">{none}</option>
        {values.map((one) => (
          <option key={one} value={one}>
            {wordOf(one)}
          </option>
        ))}
      </select>
    </label>
  );
}
