import { graphql, type ResultOf } from '../api/graphql'
import { watch } from '../live/watch'

export const AttendanceFragment = graphql(`
  fragment Attendance on EventAttendance {
    eventId
    version
    capacity
    signedUp
    placesLeft
  }
`)

/** How full each table of a feast is: it comes over the line with every attendance, the first one at once. */
export const TablesFragment = graphql(`
  fragment Tables on EventAttendance {
    tables
  }
`)

export type Attendance = ResultOf<typeof AttendanceFragment> & Partial<ResultOf<typeof TablesFragment>>

const AttendanceSubscription = graphql(
  `
    subscription EventAttendance($eventId: ID!) {
      eventAttendance(eventId: $eventId) {
        ...Attendance
        ...Tables
      }
    }
  `,
  [AttendanceFragment, TablesFragment],
)

/** The newest attendance: the one the page was read with, or one that came over the line since. */
export function liveAttendance(read: () => Attendance, listening: () => boolean) {
  let heard = $state.raw<Attendance | null>(null)
  const eventId = $derived(read().eventId)
  const coming = $derived(listening())
  const newest = $derived.by(() => {
    const first = read()
    return heard && heard.eventId === first.eventId && heard.version >= first.version ? heard : first
  })

  $effect(() => {
    if (!coming) return
    return watch(AttendanceSubscription, { eventId }, ({ eventAttendance }) => (heard = eventAttendance))
  })

  return {
    get now() {
      return newest
    },
  }
}
