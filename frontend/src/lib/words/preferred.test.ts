import { expect, it } from 'vitest'
import { preferred } from './preferred'

it.each([
  [['en-GB', 'en'], 'en'],
  [['en'], 'en'],
  [['EN-us'], 'en'],
  [['zh-CN', 'en'], 'zh'],
  [['zh-Hant-TW'], 'zh'],
  [['en-US', 'zh-CN'], 'en'],
  [['fr-FR', 'en', 'zh'], 'en'],
  [['ja', 'zh'], 'zh'],
  [['fr-FR', 'de'], 'zh'],
  [['english', 'enx'], 'zh'],
  [[], 'zh'],
  [[''], 'zh'],
])('A browser that asks for %s gets %s', (tags, name) => expect(preferred(tags)).toBe(name))
