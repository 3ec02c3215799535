import { paper } from './print.svelte'

/** Drawn before in this window: whoever comes back finds the page as long as it was, and its place on it. */
let drawn = false

/**
 * How far a long page is drawn. The first time its first screen comes at once, and what is below part by part, so that
 * a slow phone paints, and hears taps, in between. Paper gets all of it.
 */
export class Steps {
  #done = $state(drawn ? Infinity : 1)

  /** Called while a component begins; `there`: what is to be drawn has been read. */
  constructor(
    private readonly of: number,
    there: () => boolean,
  ) {
    $effect(() => {
      if (!there()) return
      drawn ||= this.whole
      if (this.whole) return
      const timer = setTimeout(() => (this.#done += 1))
      return () => clearTimeout(timer)
    })
  }

  /** Whether the part of this number, counted from 1, is to be drawn. */
  reached(part: number): boolean {
    return paper.on || part <= this.#done
  }

  get whole(): boolean {
    return this.#done >= this.of
  }
}
