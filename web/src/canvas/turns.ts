/** Lets nodes be drawn whole one after the other: forty at once would hold the page up for a second. */

/** How many may be drawn in one frame, while the view rests and while it moves. */
const AT_REST = 3;
const MOVING = 1;
/** So many that appear together need not wait: a small graph is there at once. */
const AT_ONCE = 12;

type Draw = () => void;

export class Turns {
  private readonly waiting = new Set<Draw>();
  private isMoving = false;
  private left = AT_ONCE;
  private isAsked = false;

  constructor(private readonly nextFrame: (then: () => void) => void) {}

  /** Whether this is news. */
  setMoving(isMoving: boolean): boolean {
    const isNews = this.isMoving !== isMoving;
    this.isMoving = isMoving;
    return isNews;
  }

  /** Whether what appears now may be drawn at once. */
  take(): boolean {
    this.ask();
    const least = this.isMoving ? AT_ONCE - MOVING : 0;
    if (this.waiting.size > 0 || this.left <= least) return false;
    this.left -= 1;
    return true;
  }

  /** Have something drawn when its turn comes; the answer takes it back. */
  wait(draw: Draw): () => void {
    this.waiting.add(draw);
    this.ask();
    return () => this.waiting.delete(draw);
  }

  private ask(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    this.nextFrame(() => {
      this.isAsked = false;
      this.left = AT_ONCE;
      let count = this.isMoving ? MOVING : AT_REST;
      for (const draw of this.waiting) {
        if (count === 0) break;
        count -= 1;
        this.waiting.delete(draw);
        draw();
      }
      if (this.waiting.size > 0) this.ask();
    });
  }
}

/** The turns of one canvas. */
export const newTurns = (): Turns => new Turns((then) => void requestAnimationFrame(then));
