// The pieces that screens are laid out with.
import type { ReactNode } from 'react';

/** The head of a screen: what it is, what it counts, and what can be done with all of it. */
export function ScreenHead({ title, count, children }: ScreenHeadProps) {
  return (
    <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-5 py-2">
      <h1 className="text-[15px] font-semibold tracking-tight">{title}</h1>
      {count !== undefined && <span className="text-faint">{count}</span>}
      <div className="ml-auto flex flex-wrap items-center gap-2">{children}</div>
    </header>
  );
}

interface ScreenHeadProps {
  readonly title: ReactNode;
  readonly count?: ReactNode;
  readonly children?: ReactNode;
}

export function Section({ title, note, children }: SectionProps) {
  return (
    <section className="border-b border-line px-5 pt-2.5 pb-4 last:border-b-0">
      <div className="mb-1.5 flex min-h-7 items-center gap-2">
        <h2 className="font-semibold">{title}</h2>
        {note !== undefined && <span className="text-faint">{note}</span>}
      </div>
      {children}
    </section>
  );
}

interface SectionProps {
  readonly title: string;
  readonly note?: ReactNode;
  readonly children: ReactNode;
}

/** Names and values, in two columns. */
export function Facts({ children }: { readonly children: ReactNode }) {
  return <dl className="grid grid-cols-[max-content_1fr] gap-x-6 gap-y-1">{children}</dl>;
}

export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt className="text-faint">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}

/** In place of what is not there: what was looked for, and what to do. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-1.5 px-6 py-16 text-center">
      <p className="font-medium">{title}</p>
      <div className="text-soft">{children}</div>
    </div>
  );
}

/** A word that stands for one of few. */
export function Tag({ children }: { readonly children: ReactNode }) {
  return (
    <span className="inline-block max-w-full truncate rounded-sm border border-line bg-raised px-1.5 align-bottom font-mono text-[11px] leading-[18px] text-soft">
      {children}
    </span>
  );
}

/** A name, an id, a position: what is copied and compared. */
export function Code({ children }: { readonly children: ReactNode }) {
  return <code className="font-mono text-[12px] break-all">{children}</code>;
}
