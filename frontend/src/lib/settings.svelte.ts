const STORED = 'meilin.elder'

/** Larger text and fewer things, kept on this device. */
class ElderMode {
  on = $state(false)

  begin() {
    this.set(localStorage.getItem(STORED) === '1')
  }

  set(on: boolean) {
    this.on = on
    if (on) document.documentElement.dataset['mode'] = 'elder'
    else delete document.documentElement.dataset['mode']
    localStorage.setItem(STORED, on ? '1' : '0')
  }
}

export const elderMode = new ElderMode()
