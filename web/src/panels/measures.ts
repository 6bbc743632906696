/** Times and shares, as people read them. */

export const percent = (fraction: number): number => Math.floor(Math.min(1, fraction) * 100);

/** A time span: `0.4 s`, `12 s`, `3 min`, `1 h 20 min`. */
export function seconds(span: number): string {
  if (span < 9.95) return `${span.toFixed(1)} s`;
  if (span < 99.5) return `${Math.round(span)} s`;
  const minutes = Math.round(span / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** When something was, by the clock; on another day with its date. */
export function clock(iso: string, now: Date = new Date()): string {
  const time = new Date(iso);
  const isToday = time.toDateString() === now.toDateString();
  const hour = { hour: "2-digit", minute: "2-digit" } as const;
  return time.toLocaleString([], isToday ? hour : { ...hour, day: "numeric", month: "short" });
}
