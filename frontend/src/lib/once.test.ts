import { beforeEach, expect, it, vi } from 'vitest'

type Part = { default: never }
type Style = { arrives: Promise<void>; come: () => void; lose: () => void }

function style(): Style {
  let come!: () => void
  let fail!: (error: Error) => void
  const arrives = new Promise<void>((resolve, reject) => ([come, fail] = [resolve, reject]))
  arrives.catch(() => {})
  return { arrives, come, lose: () => fail(new Error('Unable to preload CSS for /assets/Part.css')) }
}

/** As the build does it: a style that has begun to come is waited for by the first who wants it, and by nobody else. */
const begun = new Set<Style>()
let asked = 0
function part(address: string, styles: Style[] = [], script: Promise<void> = Promise.resolve()) {
  const load = async (): Promise<Part> => {
    asked += 1
    const own = styles.filter((one) => !begun.has(one))
    own.forEach((one) => begun.add(one))
    for (const end of await Promise.allSettled(own.map(({ arrives }) => arrives))) {
      if (end.status === 'rejected') throw end.reason
    }
    await script
    return { default: address as never }
  }
  // Each who asks has a function of its own, of which only the address is the same.
  return () => Object.assign(() => load(), { toString: () => `() => preload(() => import(\`./${address}\`), ${Math.random()})` })
}

const turn = () => new Promise((resume) => setTimeout(resume))

let once: typeof import('./once').once
let openable: typeof import('./openable').openable
let opening: typeof import('./opening.svelte').opening
let look: { mockResolvedValue: (there: boolean | null) => unknown; mock: { calls: unknown[] } }
let Unopened: unknown

beforeEach(async () => {
  vi.resetModules()
  begun.clear()
  asked = 0
  ;({ once } = await import('./once'))
  ;({ openable } = await import('./openable'))
  ;({ opening } = await import('./opening.svelte'))
  ;({ default: Unopened } = await import('./components/Unopened.svelte'))
  const { release } = await import('./release.svelte')
  look = vi.spyOn(release, 'look').mockResolvedValue(false)
})

it('what is under way is not fetched again: its style is waited for by all who asked', async () => {
  const late = style()
  const vote = part('Vote.js', [late])
  const preloaded = once(vote())
  let shown = false
  const drawn = once(vote()).then(() => (shown = true))
  await turn()
  expect([asked, shown]).toEqual([1, false])
  late.come()
  expect((await preloaded).default).toBe('Vote.js')
  await drawn
  expect(await once(vote())).toBe(await preloaded)
  expect(asked).toBe(1)
})

it.each(['under way', 'one of two styles is lost', 'afterwards'])('a page is preloaded, and then opened: the style it lost is told of, %s', async (when) => {
  const [lost, late] = [style(), style()]
  const sheet = part('EventSheet.js', [lost, late])
  const preloaded = openable(sheet())
  if (when !== 'under way') lost.lose()
  if (when === 'afterwards') late.come()
  await turn()
  const opened = openable(sheet())
  lost.lose()
  late.come()
  expect((await opened).default).toBe(Unopened)
  expect((await preloaded).default).toBe(Unopened)
  expect([asked, opening.failed, opening.count]).toEqual([1, true, 0])
})

it('a part is mounted again: it is lost as before, and does not stand there without its style', async () => {
  const lost = style()
  const plan = part('SquarePlan.js', [lost])
  const first = once(plan())
  lost.lose()
  await expect(first).rejects.toThrow('CSS')
  await expect(once(plan())).rejects.toThrow('CSS')
  expect([asked, opening.failed]).toEqual([1, true])
})

it('another part that shares the lost style is lost with it; what came before stays', async () => {
  const shared = style()
  const [notice, event, feed] = [part('NoticeForm.js', [shared]), part('EventForm.js', [shared]), part('Feed.js')]
  await once(feed())
  const first = once(notice())
  shared.lose()
  await expect(first).rejects.toThrow('CSS')
  await expect(once(event())).rejects.toThrow('CSS')
  expect((await once(feed())).default).toBe('Feed.js')
})

it('a script that is lost takes no other with it: browsers say so each time', async () => {
  const gone = part('Ledger.js', [], Promise.reject(new TypeError('Failed to fetch dynamically imported module')))
  await expect(once(gone())).rejects.toThrow('fetch')
  expect((await once(part('Vote.js')())).default).toBe('Vote.js')
  expect(opening.failed).toBe(true)
})

it('whether a release took it away is asked once, and whoever is on the way there sees nothing else', async () => {
  const assign = vi.fn()
  vi.stubGlobal('location', { assign })
  vi.stubGlobal('sessionStorage', { getItem: () => null, setItem: () => {} })
  look.mockResolvedValue(true)
  opening.to = '/c/spring/v/1'
  const gone = part('Vote.js', [], Promise.reject(new TypeError('Failed to fetch')))
  const drawn = vi.fn()
  void openable(gone()).then(drawn)
  void openable(gone()).then(drawn)
  await vi.waitFor(() => expect(assign).toHaveBeenCalledExactlyOnceWith('/c/spring/v/1'))
  expect([drawn.mock.calls.length, look.mock.calls.length]).toEqual([0, 1])
  // The browser was stopped on its way, and the link is tapped again.
  expect((await openable(gone())).default).toBe(Unopened)
})
