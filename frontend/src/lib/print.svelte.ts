import { flushSync } from 'svelte'
import { toBeShared } from './address'

/**
 * Whether the page is being laid out for paper, however that came about. Paper hangs for weeks: it says no "tomorrow"
 * and no "3 days left".
 */
class Paper {
  on = $state(false)

  constructor() {
    const set = (on: boolean) => flushSync(() => (this.on = on))
    globalThis.matchMedia?.('print').addEventListener('change', ({ matches }) => set(matches))
    globalThis.addEventListener?.('beforeprint', () => set(true))
    globalThis.addEventListener?.('afterprint', () => set(false))
  }
}

export const paper = new Paper()

/** The address under which the page on the paper is found again. */
export const pageAddress = () => toBeShared(location)

/**
 * The square code that leads from the paper back to the live page. It stands in the page, unseen, before anybody
 * prints: Ctrl+P, the browser's menu and our button put the same on paper.
 */
class PageMark {
  path = $state('')
  size = $state(0)
  #address = ''
  #drawing: Promise<void> = Promise.resolve()

  /** Once for each address; what cannot be had is tried again the next time, and is no reason not to print. */
  draw(address = pageAddress()): Promise<void> {
    if (address !== this.#address) {
      this.#address = address
      this.#drawing = this.#draw(address).catch(() => void (this.#address = ''))
    }
    return this.#drawing
  }

  async #draw(address: string) {
    this.path = '' // no code is better than another page's
    const { encode } = await import('uqr').catch(() => ({ encode: null }))
    if (!encode) return void (this.#address = '')
    const { data, size } = encode(address, { ecc: 'M', border: 2 })
    if (address !== this.#address) return
    this.size = size
    this.path = data
      .flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
      .join('')
  }
}

export const pageMark = new PageMark()
