// One of a few ways to look at the same thing.
interface TabsProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  /** With their words, in this order. */
  readonly values: Readonly<Record<Value, string>>;
  readonly onChange: (value: Value) => void;
}

export function Tabs<Value extends string>({ label, value, values, onChange }: TabsProps<Value>) {
  return (
    <div
      role="group"
      aria-label={label}
      className="inline-flex h-7 rounded border border-strong-line/50 bg-raised p-px"
    >
      {(Object.keys(values) as Value[]).map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === value}
          className={`rounded-sm px-2 ${one === value ? 'bg-accent-wash font-medium text-ink' : 'text-soft hover:text-ink'}`}
          onClick={() => onChange(one)}
        >
          {values[one]}
        </button>
      ))}
    </div>
  );
}
