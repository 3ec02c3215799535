import { describe, expect, it } from 'vitest'
import { en } from '../words/en'
import { zh } from '../words/zh'

describe('an account, as people call it', () => {
  it.each([
    ['meizai-meicheng/resident-1', '1 号住户', 'resident no. 1'],
    ['meizai-meicheng/tenant-1', '1 号租客', 'tenant no. 1'],
    ['meizai-meicheng/committee', '业委会', "owners' committee"],
    ['zijin-xiyuan/committee', '物管委', 'management committee'],
    ['zijin-xiyuan/clerk-2', '2 号计票员', 'clerk no. 2'],
    ['city/regulator', '主管部门', 'regulator'],
    ['somebody-else', 'somebody-else', 'somebody-else'],
  ])('%s', (account, chinese, english) => {
    expect(zh.session.who(account)).toBe(chinese)
    expect(en.session.who(account)).toBe(english)
  })
})
