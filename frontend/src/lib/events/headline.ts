interface Coming {
  potluck: boolean
  attendance: { placesLeft: number | null }
}

/** The one that stands large is one that still has places, a feast before anything else; the rest stay by time. */
export function headlineFirst<Event extends Coming>(events: readonly Event[]): Event[] {
  const free = events.filter(({ attendance }) => attendance.placesLeft !== 0)
  const headline = free.find(({ potluck }) => potluck) ?? free[0]
  return headline ? [headline, ...events.filter((one) => one !== headline)] : [...events]
}
