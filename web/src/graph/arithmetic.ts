/** Sums as people type them into number fields: `512*1.5`, `(2+3)/4`, `2^10`, `50%`, `+=64`. */

const TOKEN = /\s*(?:(\d+(?:[.,]\d+)?(?:e[+-]?\d+)?|[.,]\d+)|(\*\*|[-+*/^%()]))/iy;
const CHANGE = /^\s*([-+*/^])=(.*)$/s;
const DEPTH = 50;

/** What a text makes of the value that is there: `+=64` adds to it, any other text is a sum. */
export function evaluateFrom(value: number | undefined, text: string): number | null {
  const [, sign, by] = CHANGE.exec(text) ?? [];
  if (sign === undefined || by === undefined) return evaluate(text);
  const amount = evaluate(by);
  if (value === undefined || amount === null) return null;
  return evaluate(`(${value})${sign}(${amount})`);
}

/** What the text comes to; null if it is no sum, or comes to no number. */
export function evaluate(text: string): number | null {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const whole = text.trimEnd();
  while (TOKEN.lastIndex < whole.length) {
    const found = TOKEN.exec(whole);
    if (found === null) return null;
    tokens.push(found[1]?.replace(",", ".") ?? found[2] ?? "");
  }
  const value = new Sum(tokens).whole();
  return value !== null && Number.isFinite(value) ? value : null;
}

class Sum {
  private place = 0;

  constructor(private readonly tokens: readonly string[]) {}

  whole(): number | null {
    const value = this.sum(0);
    return this.place === this.tokens.length ? value : null;
  }

  private sum(depth: number): number | null {
    let value = this.product(depth);
    for (let sign = this.take("+", "-"); sign !== null; sign = this.take("+", "-")) {
      const next = this.product(depth);
      if (value === null || next === null) return null;
      value = sign === "+" ? value + next : value - next;
    }
    return value;
  }

  private product(depth: number): number | null {
    let value = this.signed(depth);
    for (let sign = this.take("*", "/"); sign !== null; sign = this.take("*", "/")) {
      const next = this.signed(depth);
      if (value === null || next === null) return null;
      value = sign === "*" ? value * next : value / next;
    }
    return value;
  }

  private signed(depth: number): number | null {
    if (depth > DEPTH) return null;
    const sign = this.take("+", "-");
    if (sign === null) return this.power(depth);
    const value = this.signed(depth + 1);
    return value === null || sign === "+" ? value : -value;
  }

  private power(depth: number): number | null {
    const base = this.percent(depth);
    if (this.take("^", "**") === null) return base;
    const exponent = this.signed(depth + 1);
    return base === null || exponent === null ? null : base ** exponent;
  }

  private percent(depth: number): number | null {
    const value = this.atom(depth);
    return this.take("%") === null || value === null ? value : value / 100;
  }

  private atom(depth: number): number | null {
    if (this.take("(") !== null) {
      const value = depth > DEPTH ? null : this.sum(depth + 1);
      return this.take(")") === null ? null : value;
    }
    const token = this.tokens[this.place];
    if (token === undefined || !/^[\d.]/.test(token)) return null;
    this.place += 1;
    return Number(token);
  }

  private take(...signs: readonly string[]): string | null {
    const token = this.tokens[this.place];
    if (token === undefined || !signs.includes(token)) return null;
    this.place += 1;
    return token;
  }
}
