import { patiently } from './patience'

/** How long a part is waited for: it may be drawn later, and its script may be on its way. */
const PATIENCE = 30_000

let stop = () => {}

/** To the part of the page with this id as soon as it is there, and the keyboard goes on from it. */
export function goToPart(id: string) {
  stop()
  const go = () => {
    const part = document.getElementById(id)
    if (!part) return
    stop()
    part.scrollIntoView({ block: 'start' })
    part.focus({ preventScroll: true })
  }
  const growing = new MutationObserver(go)
  growing.observe(document.body, { childList: true, subtree: true })
  stop = patiently(growing, PATIENCE)
  go()
}
