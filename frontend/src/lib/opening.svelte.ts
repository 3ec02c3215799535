/** Pages that are on their way: between a tap and its page something is seen to happen. */
class Opening {
  count = $state(0)
  /** Where the newest of them leads, as the browser would write it. */
  to = ''
  /** Something could not be had. Browsers and the build's loader remember that, and do not ask for it again. */
  failed = false
}

export const opening = new Opening()
