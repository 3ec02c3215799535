import { expect, it } from 'vitest'
import { en } from '../words/en'
import { zh } from '../words/zh'
import type { FeedItem } from './feed'
import { News, newsSentence } from './news.svelte'

const item = (cursor: string, kind: FeedItem['kind'], title?: string) =>
  ({ cursor, kind, at: '', subject: title ? { __typename: 'Notice', id: cursor, title } : null }) as FeedItem

const entry = (cursor: string) => ({ cursor, kind: 'LEDGER_PUBLISHED', at: '', subject: { __typename: 'Entry', id: cursor } }) as FeedItem

const LATER = 'OF_A_LATER_VERSION' as FeedItem['kind']

it.each([
  [[], '这一页有变化', null],
  [[item('1', 'NOTICE_PUBLISHED', '停水')], '刚贴了 1 张', '停水'],
  [[item('1', 'NOTICE_PUBLISHED', '停水'), item('2', 'NOTICE_PUBLISHED', '停电')], '刚贴了 2 张', null],
  [[item('1', 'NOTICE_PUBLISHED', '停水'), item('2', 'EVENT_PUBLISHED', '美邻节')], '多了 2 条动静', null],
  [[item('1', 'NOTICE_CORRECTED', '停水')], '1 张公告更正了', '停水'],
  [[item('1', 'NOTICE_WITHDRAWN'), item('2', 'NOTICE_WITHDRAWN')], '2 张公告撤下了', null],
  [[item('1', 'EVENT_CORRECTED')], '1 个活动更正了', null],
  [[item('1', 'LEDGER_PUBLISHED')], '账上新记了', null],
  [[entry('1')], '账上新记了 1 笔', null],
  [[entry('1'), entry('2')], '账上新记了 2 笔', null],
  [[item('1', LATER)], '这一页有变化', null],
  [[item('1', LATER), item('2', LATER)], '多了 2 条动静', null],
])('%#', (items, text, title) => {
  expect(newsSentence(items, zh)).toEqual({ text, title })
  expect(newsSentence(items, en).text).not.toMatch(/\p{Script=Han}/u)
})

it('counts each thing once, until it is shown', () => {
  const news = new News()
  news.hear(item('1', 'NOTICE_PUBLISHED'))
  news.hear(item('1', 'NOTICE_PUBLISHED'))
  news.hear(item('2', 'NOTICE_PUBLISHED'))
  expect(news.items).toHaveLength(2)
  expect(news.take()).toHaveLength(2)
  expect(news.items).toEqual([])
})
