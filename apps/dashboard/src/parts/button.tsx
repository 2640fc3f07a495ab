// Buttons: what does something. What leads somewhere is a link.
import type { ButtonHTMLAttributes } from 'react';

type Kind = 'plain' | 'main' | 'danger' | 'quiet';

const LOOKS: Record<Kind, string> = {
  plain: 'border border-strong-line/50 bg-raised hover:border-strong-line',
  main: 'bg-accent text-on-accent hover:brightness-110',
  danger: 'border border-bad/60 text-bad bg-raised hover:bg-bad-wash',
  quiet: 'text-soft hover:text-ink hover:bg-line/60',
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly kind?: Kind;
}

export function Button({ kind = 'plain', className = '', type = 'button', ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={`inline-flex h-7 items-center gap-1.5 rounded px-2.5 font-medium whitespace-nowrap disabled:opacity-50 aria-pressed:border-accent aria-pressed:bg-accent-wash ${LOOKS[kind]} ${className}`}
      {...rest}
    />
  );
}
