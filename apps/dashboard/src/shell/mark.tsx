// The sign of the product.
export const Mark = ({ className }: { readonly className: string }) => (
  <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
    <path
      d="M16 3.5 26.8 9.75v12.5L16 28.5 5.2 22.25V9.75z"
      fill="none"
      stroke="currentColor"
      strokeWidth="2.5"
      strokeLinejoin="round"
    />
    <g fill="currentColor">
      <circle cx="16" cy="10.5" r="2.6" />
      <circle cx="11.2" cy="19" r="2.6" />
      <circle cx="20.8" cy="19" r="2.6" />
    </g>
  </svg>
);
