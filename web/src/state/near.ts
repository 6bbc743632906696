/** Names that are like another one: for a file that was renamed, or a name with a slip in it. */

/** The file's own name in small letters, without folders, ending and signs. */
function plain(name: string): string {
  const file = name.split(/[\\/]/).at(-1) ?? name;
  return file
    .toLowerCase()
    .replace(/\.[a-z0-9]{1,12}$/, "")
    .replace(/[^\p{L}\p{N}]+/gu, "");
}

function pairsOf(text: string): Map<string, number> {
  const pairs = new Map<string, number>();
  for (let at = 0; at < text.length - 1; at += 1) {
    const pair = text.slice(at, at + 2);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

/** How alike two names are, from 0 to 1: the share of pairs of letters that both have. */
export function likeness(one: string, other: string): number {
  const [a, b] = [plain(one), plain(other)];
  if (a === b) return 1;
  const [left, right] = [pairsOf(a), pairsOf(b)];
  let shared = 0;
  for (const [pair, count] of left) shared += Math.min(count, right.get(pair) ?? 0);
  const all = a.length - 1 + (b.length - 1);
  return all <= 0 ? 0 : (2 * shared) / all;
}

/** The names that are most like this one, the likest first. */
export function nearest(name: string, names: readonly string[], most = 3): readonly string[] {
  return names
    .map((each) => ({ each, score: likeness(name, each) }))
    .filter(({ score }) => score >= 0.45)
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ each }) => each);
}
