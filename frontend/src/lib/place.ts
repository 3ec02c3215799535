import { tick } from 'svelte'
import { patiently } from './patience'

/** How long a page that comes back is given to grow to its place: its data may have to be read anew. */
const PATIENCE = 5_000

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
  stop = patiently(growing, PATIENCE)
  growing.observe(document.body)
}
