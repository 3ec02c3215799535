import type { Words } from './words/zh'

/** A small part that could not be had, where there is no place of its own to say so: said over the page. */
class Snag {
  what = $state<'languageLost' | 'printLost' | 'signInLost' | null>(null)
  retry: () => unknown = () => {}

  tell(what: 'languageLost' | 'printLost' | 'signInLost', retry: () => unknown) {
    this.what = what
    this.retry = retry
  }

  clear() {
    this.what = null
  }
}

export const snag = new Snag()

export const snagSentence = (words: Words) => (snag.what ? words.problem[snag.what] : '')
