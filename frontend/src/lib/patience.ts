const HANDS = ['wheel', 'touchstart', 'keydown', 'pointerdown'] as const

/**
 * What watches the page for something to come does so until it is stopped, until the time is over, or until somebody
 * moves the page or does something on it: nobody is pulled away from what they do.
 */
export function patiently(watch: { disconnect(): void }, milliseconds: number): () => void {
  const timer = setTimeout(stop, milliseconds)
  function stop() {
    watch.disconnect()
    clearTimeout(timer)
    HANDS.forEach((hand) => removeEventListener(hand, stop))
  }
  HANDS.forEach((hand) => addEventListener(hand, stop, { passive: true, once: true }))
  return stop
}
