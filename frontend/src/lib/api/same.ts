/** What moves by subscriptions of its own, in its place; and what nobody sees. */
const LIVE = new Set(['viewer', 'journal', 'tally', 'attendance', 'inAccount'])

/** Whether showing the one instead of the other moves nothing on the page. */
export function sameButLive(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const [left, right] = [one, other] as Record<string, unknown>[]
  const names = new Set([...Object.keys(left!), ...Object.keys(right!)])
  return [...names].every((name) => LIVE.has(name) || sameButLive(left![name], right![name]))
}
