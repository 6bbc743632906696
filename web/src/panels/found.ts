/** Whether every word of a query is in one of the texts. */
export function isFound(query: string, ...texts: readonly string[]): boolean {
  const whole = texts.join(" ").toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => whole.includes(word));
}
