import { asRefusal, type Refusal } from '$lib/api/errors'

interface Line {
  id: string
}

interface PageInfo {
  hasNextPage: boolean
  endCursor: string | null
}

interface Lines<Entry> {
  entries: Entry[]
  pageInfo: PageInfo
}

/** Which month of which book. */
interface View {
  slug: string
  month: string
}

const FIRST = 20
const STEP = 50

/**
 * The lines of one month: those that came with the page, and those read after them. Read anew, a list that somebody
 * has unfolded stays unfolded; another month begins at its beginning, and what was on its way for the one before is
 * let go.
 */
export class MonthEntries<Entry extends Line> {
  refusal = $state.raw<Refusal | null>(null)
  loading = $state(false)
  /** How many stand on the screen; those read ahead stand behind them, for the paper alone. */
  shown = $state(FIRST)

  #view: View = { slug: '', month: '' }
  #read = $state.raw<Lines<Entry>>({ entries: [], pageInfo: { hasNextPage: false, endCursor: null } })
  /** As they were before they were read anew, until they have been again: entries are only ever added. */
  #before = $state.raw<readonly Entry[]>([])
  #job: Promise<void> | null = null

  readonly all: readonly Entry[] = $derived([...this.#read.entries, ...without(this.#before, this.#read.entries)])

  constructor(private readonly readAfter: (view: View, cursor: string | null) => Promise<Lines<Entry> | null>) {}

  /** All of the month that there is stands in `all`: nothing is left to be read. */
  get whole() {
    return !this.#read.pageInfo.hasNextPage
  }

  /** With each first page that comes. */
  begin(view: View, first: Lines<Entry>) {
    const same = view.slug === this.#view.slug && view.month === this.#view.month
    this.#before = same && first.pageInfo.hasNextPage ? this.all : []
    if (!same) this.shown = FIRST
    this.#view = view
    this.#read = first
    this.#job = null
    this.loading = false
    this.refusal = null
  }

  /** One at a time: whoever asks meanwhile waits for the same. */
  more(): Promise<void> {
    if (this.whole) return Promise.resolve()
    this.#job ??= this.#more()
    return this.#job
  }

  async #more() {
    const page = this.#read
    this.loading = true
    this.refusal = null
    let next: Lines<Entry> | null = null
    let refusal: Refusal | null = null
    try {
      next = await this.readAfter(this.#view, page.pageInfo.endCursor)
    } catch (error) {
      refusal = asRefusal(error)
    }
    // Another month, or this one read anew: what came belongs to neither.
    if (page !== this.#read) return
    this.#job = null
    this.loading = false
    this.refusal = refusal
    if (next) this.#append(page, next)
  }

  #append(page: Lines<Entry>, next: Lines<Entry>) {
    this.#read = { entries: [...page.entries, ...without(next.entries, page.entries)], pageInfo: next.pageInfo }
    if (this.whole) this.#before = []
  }

  /** Paper has no "more" button, and whoever prints by Ctrl+P does not wait: the whole month is there before. */
  async everything() {
    for (let held = -1; !this.whole && this.#read.entries.length > held; ) {
      held = this.#read.entries.length
      await this.more()
    }
  }

  /** Unfolds some more; where they begin. */
  async unfold(): Promise<number> {
    const from = Math.min(this.shown, this.all.length)
    this.shown += STEP
    if (this.shown > this.all.length) await this.more()
    return from
  }
}

function without<Entry extends Line>(entries: readonly Entry[], known: readonly Entry[]): Entry[] {
  const ids = new Set(known.map(({ id }) => id))
  return entries.filter(({ id }) => !ids.has(id))
}
