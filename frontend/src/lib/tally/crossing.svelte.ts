import { Crossing, type Seen } from './crossing'

/** Read inside a component: true from the moment on at which the threshold is crossed before one's eyes. */
export function crossing(seen: () => Seen) {
  const threshold = new Crossing()
  let crossed = $state(false)
  $effect.pre(() => {
    crossed = threshold.see(seen())
  })
  return {
    get now() {
      return crossed
    },
  }
}
