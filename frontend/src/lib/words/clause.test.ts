import { describe, expect, it } from 'vitest'
import { en } from './en'
import { zh } from './zh'

const says = (text: string) => [zh.tally.clause(text), en.tally.clause(text)]

describe('a clause', () => {
  it.each([
    ['民法典 278', '《民法典》第 278 条', 'Civil Code Art. 278'],
    ['杭州市物业管理条例 16', '《杭州市物业管理条例》第 16 条', 'Hangzhou Property Management Regulations Art. 16'],
    ['杭州市物业管理条例 16(10)', '《杭州市物业管理条例》第 16 条第 10 项', 'Hangzhou Property Management Regulations Art. 16(10)'],
    ['民法典 278(1)(8)', '《民法典》第 278 条第 1 款第 8 项', 'Civil Code Art. 278(1)(8)'],
    ['《民法典》278（8）', '《民法典》第 278 条第 8 项', 'Civil Code Art. 278(8)'],
    ['民法典第 278 条第 2 款', '《民法典》第 278 条第 2 款', 'Civil Code Art. 278 para. 2'],
    ['民法典 282、283', '《民法典》第 282 条、第 283 条', 'Civil Code Arts. 282, 283'],
    ['杭州市物业管理条例 19-20', '《杭州市物业管理条例》第 19 条至第 20 条', 'Hangzhou Property Management Regulations Arts. 19–20'],
    ['议事规则 12', '《议事规则》第 12 条', '《议事规则》 Art. 12'],
    ['某条例 33-1', '《某条例》第 33 条之 1', '《某条例》 Art. 33-1'],
  ])('%s', (text, chinese, english) => {
    expect(says(text)).toEqual([chinese, english])
  })

  it.each([
    '《业主大会议事规则》第三十一条：单项三万元以内由业委会集体决定',
    '民法典第二百七十八条第一款',
    '上一年度审计报告',
    '会议纪要 12',
    '议事规则 12 之外另议',
    '业主大会 2025 年决议',
    '杭州市物业管理条例',
    '',
  ])('that is written out, or is none, stands as it is: %s', (text) => {
    expect(says(text)).toEqual([text, text])
  })
})
