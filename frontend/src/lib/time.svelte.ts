import { local, localEnd, type LocalTime, stretch, until } from './format/time'
import { serverClock } from './live/clock.svelte'
import { paper } from './print.svelte'
import { language } from './words/language.svelte'

/** On paper every day is far away, and so it is named by its date. */
const dated = (time: LocalTime): LocalTime => (paper.on ? { ...time, daysAway: Infinity } : time)

/** The wall clock of an instant, as the page or the paper may say it. */
export const timeOf = (at: string) => dated(local(Date.parse(at), serverClock.now))
const endOf = (at: string) => dated(localEnd(Date.parse(at), serverClock.now))
/** Null once it is over; and on paper, which does not count down. */
const spanTo = (at: string) => (paper.on ? null : until(Date.parse(at), serverClock.now))

/** Sentences about time, true at this moment: read inside a component they change as time goes by. */
export const say = {
  when: (at: string) => language.words.time.when(timeOf(at)),
  day: (at: string) => language.words.time.day(timeOf(at)),
  /** Of a close: at midnight it is 24:00 of the day that ends. */
  end: (at: string) => language.words.time.when(endOf(at)),
  endDay: (at: string) => language.words.time.day(endOf(at)),
  fromTo: (from: string, until: string) => {
    const [first, last, oneDay] = stretch(Date.parse(from), Date.parse(until), serverClock.now)
    return language.words.time.fromTo(dated(first), dated(last), oneDay)
  },
  from: (at: string) => language.words.time.from(timeOf(at)),
  to: (at: string) => language.words.time.to(endOf(at)),
  left: (at: string) => {
    const span = spanTo(at)
    return span && language.words.time.left(span)
  },
  /** When it opens, and how long that is from now. */
  opens: (at: string) => {
    const span = spanTo(at)
    const { vote, time } = language.words
    return span ? vote.opensAt(say.when(at), time.in(span)) : vote.opensOn(say.when(at))
  },
}

export const passed = (at: string) => Date.parse(at) <= serverClock.now

/** What the server said last, and that the close has passed since: between the close and the count a vote is closed. */
export const statusNow = <Status extends string>(vote: { status: Status; closesAt: string }): Status | 'CLOSED' =>
  vote.status === 'OPEN' && passed(vote.closesAt) ? 'CLOSED' : vote.status
