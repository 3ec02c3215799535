import { tick } from 'svelte'

/** Whether nothing has the focus: what had it is gone. */
const lost = () => !document.activeElement || document.activeElement === document.body

/** An attachment: what came of a deed takes the focus as it appears, and is in view. */
export function arrive(node: HTMLElement) {
  node.tabIndex = -1
  node.focus({ preventScroll: true })
  node.scrollIntoView({ block: 'nearest' })
}

/** After a deed that takes its own button away: whoever uses the keyboard goes on here, not at the top of the page. */
export async function goOnAt(find: () => HTMLElement | null | undefined) {
  await tick()
  if (!lost()) return
  const place = find()
  if (!place) return
  if (place.tabIndex < 0) place.tabIndex = -1
  place.focus({ preventScroll: true })
  place.scrollIntoView({ block: 'nearest' })
}

const SETTLED = 10_000
const TAKES_FOCUS = 'a[href], button:not([disabled]), input, select, textarea'

/**
 * What was tapped in a place is about to be replaced, at once or when an answer comes. As soon as the focus is lost
 * it goes to what stands there then, or elsewhere when the place is gone, too.
 */
export function keepFocus(asked: Element | null, place: Element | null, otherwise: () => HTMLElement | null) {
  const restore = () => {
    // On the place itself it only waits for what comes to stand there.
    if (!lost() && !(place && document.activeElement === place)) return
    if (asked?.isConnected) return (asked as HTMLElement).focus({ preventScroll: true })
    const within = place?.isConnected ? place : null
    const next = within?.querySelector<HTMLElement>(TAKES_FOCUS) ?? (within as HTMLElement | null) ?? otherwise()
    if (!next) return
    if (next === document.activeElement) return
    if (next === within) next.tabIndex = -1
    next.focus({ preventScroll: true })
  }
  const watching = new MutationObserver(restore)
  watching.observe(document.body, { childList: true, subtree: true })
  setTimeout(() => watching.disconnect(), SETTLED)
  restore()
}
