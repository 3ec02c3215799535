import type { Words } from '../words/zh'
import { type FeedItem, withNewer } from './feed'

/** What the journal told since the page was shown. It is counted, and shown only when somebody asks. */
export class News {
  items = $state.raw<readonly FeedItem[]>([])

  /** Newest first. After the line was cut some may come once more. */
  hear = (item: FeedItem) => {
    this.items = withNewer(this.items, item)
  }

  /** Shown, from now on known. */
  take(): readonly FeedItem[] {
    const taken = this.items
    this.items = []
    return taken
  }
}

const titleOf = ({ subject }: FeedItem) => (subject && 'title' in subject ? subject.title : null)

/** In a few words what arrived, and the one thing's own name; of a kind without words here, that something did. */
export function newsSentence(items: readonly FeedItem[], words: Words): { text: string; title: string | null } {
  const [first, ...others] = items
  if (!first) return { text: words.news.changed, title: null }
  const n = items.length
  const said: Partial<Record<FeedItem['kind'], (n: number) => string>> = {
    NOTICE_PUBLISHED: words.news.notices,
    NOTICE_CORRECTED: words.news.corrected,
    NOTICE_WITHDRAWN: words.news.withdrawn,
    EVENT_PUBLISHED: words.news.events,
    EVENT_CORRECTED: words.news.eventCorrected,
    LEDGER_PUBLISHED: first.subject?.__typename === 'Entry' ? words.news.entries : () => words.news.ledger,
    VOTE_ANNOUNCED: words.news.announced,
    VOTE_OPENED: () => words.news.opened,
    VOTE_CLOSED: () => words.news.closed,
  }
  const alike = others.every(({ kind }) => kind === first.kind)
  const ofKind = alike ? said[first.kind]?.(n) : undefined
  const ofAny = n === 1 ? words.news.changed : words.news.several(n)
  return { text: ofKind ?? ofAny, title: n === 1 ? titleOf(first) : null }
}
