import { stored } from './stored'

const STORED = 'meilin.elder'

/** Larger text and fewer things, kept on this device. */
class ElderMode {
  on = $state(false)

  begin() {
    this.set(stored.read(STORED) === '1')
  }

  set(on: boolean) {
    this.on = on
    if (on) document.documentElement.dataset['mode'] = 'elder'
    else delete document.documentElement.dataset['mode']
    stored.write(STORED, on ? '1' : '0')
  }
}

export const elderMode = new ElderMode()
