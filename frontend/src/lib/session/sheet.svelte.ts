import { keepFocus } from '../focus'

/** Whether the sign-in sheet is open, and for which communities it offers accounts. */
class SheetState {
  open = $state(false)
  slugs = $state.raw<{ slug: string; name: string }[]>([])

  /** Where it was asked for: there one goes on. */
  #asked: Element | null = null
  #place: Element | null = null

  show(communities: { slug: string; name: string }[]) {
    this.#asked = document.activeElement
    this.#place = this.#asked?.closest('[data-testid="take-part"], [data-testid="sign-up"], main') ?? null
    this.slugs = communities
    this.open = true
  }

  close() {
    this.open = false
  }

  /** Somebody else now: what stood there is about to change, and the focus stays with it. */
  done() {
    this.close()
    keepFocus(this.#asked, this.#place, () => document.querySelector<HTMLElement>('[data-testid="account"]'))
  }
}

export const signInSheet = new SheetState()
