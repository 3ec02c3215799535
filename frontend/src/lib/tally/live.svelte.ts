import { watch } from '../live/watch'
import { type Tally, TallySubscription } from './fragment'
import { newest } from './newest'

/** The newest tally of a vote: the one the page was read with, or one that came over the line since. */
export function liveTally(read: () => Tally, listening: () => boolean) {
  let heard = $state.raw<Tally | null>(null)
  const voteId = $derived(read().voteId)
  const open = $derived(listening())
  const live = $derived(heard?.voteId === voteId)
  const now = $derived(newest(read(), heard))

  $effect(() => {
    if (!open) return
    return watch(TallySubscription, { voteId }, ({ voteProgress }) => (heard = voteProgress))
  })

  return {
    get now() {
      return now
    },
    /** The line has spoken of this vote since the page looks at it: nothing older is shown any more. */
    get live() {
      return live
    },
  }
}
