import { local, localEnd, stretch, until } from './format/time'
import { serverClock } from './live/clock.svelte'
import { language } from './words/language.svelte'

/** Sentences about time, true at this moment: read inside a component they change as time goes by. */
export const say = {
  when: (at: string) => language.words.time.when(local(Date.parse(at), serverClock.now)),
  day: (at: string) => language.words.time.day(local(Date.parse(at), serverClock.now)),
  /** Of a close: at midnight it is 24:00 of the day that ends. */
  end: (at: string) => language.words.time.when(localEnd(Date.parse(at), serverClock.now)),
  endDay: (at: string) => language.words.time.day(localEnd(Date.parse(at), serverClock.now)),
  fromTo: (from: string, until: string) =>
    language.words.time.fromTo(...stretch(Date.parse(from), Date.parse(until), serverClock.now)),
  from: (at: string) => language.words.time.from(local(Date.parse(at), serverClock.now)),
  to: (at: string) => language.words.time.to(localEnd(Date.parse(at), serverClock.now)),
  left: (at: string) => {
    const span = until(Date.parse(at), serverClock.now)
    return span && language.words.time.left(span)
  },
  in: (at: string) => {
    const span = until(Date.parse(at), serverClock.now)
    return span && language.words.time.in(span)
  },
}

export const passed = (at: string) => Date.parse(at) <= serverClock.now

/** What the server said last, and that the close has passed since: between the close and the count a vote is closed. */
export const statusNow = <Status extends string>(vote: { status: Status; closesAt: string }): Status | 'CLOSED' =>
  vote.status === 'OPEN' && passed(vote.closesAt) ? 'CLOSED' : vote.status
