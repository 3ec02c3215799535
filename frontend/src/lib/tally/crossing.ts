export interface Seen {
  /** What is looked at: another one begins anew. */
  of: string
  /** It came over the line: what was only read, or kept from before, may be older than the threshold. */
  live: boolean
  met: boolean
}

/**
 * Whether a threshold was crossed before one's eyes: once it was seen unmet and live, and now it is met. Whoever
 * comes later finds it met and sees nothing happen.
 */
export class Crossing {
  #of = ''
  #watched = false

  see({ of, live, met }: Seen): boolean {
    if (of !== this.#of) this.#watched = false
    this.#of = of
    if (!met && live) this.#watched = true
    return met && this.#watched
  }
}
