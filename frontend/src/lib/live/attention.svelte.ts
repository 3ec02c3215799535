/** Reading takes no hands; after this long without them nobody is there, as before a screen in the lobby. */
const GONE = 180_000
const TICK = 5_000
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'scroll', 'focusin'] as const

/** Whether somebody is reading: what arrives must not move what is under their eyes. */
class Reader {
  away = $state(false)
  #seenAt = Date.now()

  constructor() {
    if (!globalThis.document) return
    for (const sign of SIGNS) addEventListener(sign, () => this.#seen(), { passive: true, capture: true })
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#look() : this.#seen()))
    setInterval(() => this.#look(), TICK)
  }

  #seen() {
    this.#seenAt = Date.now()
    this.#look()
  }

  #look() {
    this.away = document.hidden || Date.now() - this.#seenAt >= GONE
  }
}

export const reader = new Reader()
