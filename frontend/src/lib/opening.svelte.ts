/** Pages that are on their way: between a tap and its page something is seen to happen. */
class Opening {
  count = $state(0)
  /** Where the newest of them leads, as the browser would write it. */
  to = ''
  failures = 0
  /** Told by the router: opens once more what stands in the address. */
  again: () => Promise<unknown> = () => Promise.resolve()
}

export const opening = new Opening()
