/** Sums typed into number fields: `512*1.5`, `(64+8)/2`, `+=64`. */

const TOKEN = /\s*(?:(\d+(?:[.,]\d*)?(?:e[+-]?\d+)?|[.,]\d+(?:e[+-]?\d+)?)|(\*\*|[-+*/%^()×÷]))/iy;
const MAX_LENGTH = 200;

/** The value of a text, `current` being what stood there for `+=` and the like; null if it is none. */
export function evaluate(text: string, current = 0): number | null {
  if (text.length > MAX_LENGTH) return null;
  const change = /^\s*([-+*/])=(.*)$/s.exec(text);
  if (change !== null) {
    const by = evaluate(change[2] ?? "");
    return by === null ? null : finite(operate(change[1] ?? "+", current, by));
  }
  const tokens: (number | string)[] = [];
  TOKEN.lastIndex = 0;
  const trimmed = text.trim();
  while (TOKEN.lastIndex < trimmed.length) {
    const found = TOKEN.exec(trimmed);
    if (found === null) return null;
    tokens.push(found[1] === undefined ? sign(found[2] ?? "") : Number(found[1].replace(",", ".")));
  }
  const sum = new Sum(tokens);
  const value = sum.value();
  return value === null || !sum.isDone ? null : finite(value);
}

/** The integer of a text beyond what a number holds exactly; null if it is no plain integer. */
export function exactInteger(text: string): bigint | null {
  return /^\s*-?\d{1,400}\s*$/.test(text) ? BigInt(text.trim()) : null;
}

class Sum {
  private place = 0;

  constructor(private readonly tokens: readonly (number | string)[]) {}

  get isDone(): boolean {
    return this.place === this.tokens.length;
  }

  value(): number | null {
    return this.chain(["+", "-"], () => this.chain(["*", "/", "%"], () => this.signed()));
  }

  private chain(signs: readonly string[], next: () => number | null): number | null {
    let value = next();
    for (
      let token = this.tokens[this.place];
      typeof token === "string";
      token = this.tokens[this.place]
    ) {
      if (value === null || !signs.includes(token)) break;
      this.place += 1;
      const other = next();
      value = other === null ? null : operate(token, value, other);
    }
    return value;
  }

  private signed(): number | null {
    if (!this.skip("-")) return this.skip("+") ? this.signed() : this.power();
    const value = this.signed();
    return value === null ? null : -value;
  }

  private power(): number | null {
    const base = this.atom();
    if (base === null || !this.skip("**")) return base;
    const exponent = this.signed();
    return exponent === null ? null : base ** exponent;
  }

  private atom(): number | null {
    const token = this.tokens[this.place];
    if (typeof token === "number") {
      this.place += 1;
      return token;
    }
    if (!this.skip("(")) return null;
    const value = this.value();
    return this.skip(")") ? value : null;
  }

  private skip(wanted: string): boolean {
    if (this.tokens[this.place] !== wanted) return false;
    this.place += 1;
    return true;
  }
}

function sign(text: string): string {
  return { "×": "*", "÷": "/", "^": "**" }[text] ?? text;
}

function operate(sign: string, a: number, b: number): number {
  if (sign === "+") return a + b;
  if (sign === "-") return a - b;
  if (sign === "*") return a * b;
  return sign === "/" ? a / b : a % b;
}

/** Without the dust of binary fractions: 0.1 + 0.2 is 0.3. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(15)) + 0 : null;
}
