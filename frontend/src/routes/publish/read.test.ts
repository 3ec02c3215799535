import { expect, it } from 'vitest'
import { EMPTY_NOTICE } from './check'
import { unsaid } from './read'

const about = (body: string, more = {}) => unsaid({ ...EMPTY_NOTICE, title: '通知', body, ...more })

it('names what neighbours will ask', () => {
  expect(about('水箱要清洗，请提前存水。')).toEqual(['time', 'contact'])
  expect(about('周日 9:00 停水。')).toEqual(['contact'])
  expect(about('停水，有事打 8282 1670。')).toEqual(['time'])
  expect(about('明天停水，有事找物业前台。')).toEqual([])
  expect(about('停水，请打电话。', { from: '2026-10-18T09:00' })).toEqual([])
})

it('asks no time of a display, and nothing of an empty sheet', () => {
  expect(about('三季度账目。联系物业。', { kind: 'DISPLAY' })).toEqual([])
  expect(about('  ')).toEqual([])
})
