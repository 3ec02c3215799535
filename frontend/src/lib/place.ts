import { tick } from 'svelte'

/** How long a page that comes back is given to grow to its place: its data may have to be read anew. */
const PATIENCE = 5_000
/** By which somebody moves the page, or does something on it. */
export const HANDS = ['wheel', 'touchstart', 'keydown', 'pointerdown'] as const

/** Where one was on each page of this window, by its address. */
const places = new Map<string, number>()

let here = ''
let back = false
let stop = () => {}

/** Going back leads to where one was on the page, not to its top; any other way leads to the top. */
export const place = {
  begin() {
    here = location.href
    addEventListener('scroll', () => here && places.set(here, scrollY), { passive: true })
    addEventListener('popstate', () => (back = true))
  },

  /** From now on what scrolls is the browser or the router. */
  leave() {
    here = ''
    stop()
  },

  async arrive() {
    const wanted = back ? places.get(location.href) : 0
    back = false
    await tick()
    if (wanted) seek(wanted)
    here = location.href
  },
}

function seek(wanted: number) {
  const go = () => {
    scrollTo({ top: wanted, behavior: 'instant' })
    if (Math.abs(scrollY - wanted) < 2) stop()
  }
  const growing = new ResizeObserver(go)
  const timer = setTimeout(() => stop(), PATIENCE)
  stop = () => {
    growing.disconnect()
    clearTimeout(timer)
    HANDS.forEach((hand) => removeEventListener(hand, stop))
    stop = () => {}
  }
  // Whoever moves the page meanwhile is not pulled back.
  HANDS.forEach((hand) => addEventListener(hand, stop, { passive: true, once: true }))
  growing.observe(document.body)
}
