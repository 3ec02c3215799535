import type { Component } from 'svelte'
import { keepFocus } from '../focus'
import { once } from '../once'
import { opening } from '../opening.svelte'
import { release } from '../release.svelte'
import { snag } from '../snag.svelte'

/** Whether the sign-in sheet is open, and for which communities it offers accounts. */
class SheetState {
  open = $state(false)
  /** Fetched when it is first asked for: most people never sign in. */
  sheet = $state.raw<Component | null>(null)
  slugs = $state.raw<{ slug: string; name: string }[]>([])

  /** Where it was asked for: there one goes on. */
  #asked: Element | null = null
  #place: Element | null = null

  async show(communities: { slug: string; name: string }[]) {
    this.#asked = document.activeElement
    this.#place = this.#asked?.closest('[data-testid="take-part"], [data-testid="sign-up"], main') ?? null
    this.slugs = communities
    opening.count += 1
    try {
      this.sheet ??= (await once(() => import('./SignInSheet.svelte'))).default
      this.open = true
    } catch {
      // Browsers remember that a script could not be had: only a page loaded anew asks for it again.
      snag.tell('signInLost', async () => (await release.look()) !== null && location.reload())
    } finally {
      opening.count -= 1
    }
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
