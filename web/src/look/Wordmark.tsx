/** The name and its mark: an aperture, half exposed under the safelight. */

export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M12 2a10 10 0 0 0 0 20z" fill="var(--accent)" />
      <circle cx="12" cy="12" r="9.1" fill="none" stroke="var(--accent)" strokeWidth="1.8" />
      <path d="M12 7.2a4.8 4.8 0 0 0 0 9.6z" fill="var(--panel)" />
      <path d="M12 7.2a4.8 4.8 0 0 1 0 9.6z" fill="var(--accent)" />
    </svg>
  );
}

export function Wordmark() {
  return (
    <span className="wordmark">
      <Mark />
      <span>Darkroom</span>
    </span>
  );
}
