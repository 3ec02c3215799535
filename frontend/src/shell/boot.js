/* Runs before the page, in every browser there is: only what browsers of fifteen years ago understand.
   It puts the day on the paper, and says why the page does not come. The build copies it as it stands. */
(function () {
  var root = document.documentElement

  function say(what) {
    if (root.getAttribute('data-boot')) return
    root.setAttribute('data-boot', what)
    var said = document.getElementById(what === 'old' ? 'old' : 'late')
    if (said && said.focus) said.focus()
  }

  /* What the page cannot do without; a browser that lacks one of these lacks its language, too. */
  var able =
    'noModule' in document.createElement('script') &&
    window.Promise && window.fetch && window.Map && window.Symbol && Symbol.asyncIterator &&
    Array.prototype.at && Object.hasOwn && Object.fromEntries &&
    window.AbortSignal && AbortSignal.timeout &&
    window.CSS && CSS.supports && CSS.supports('inset-inline', '0')

  var today = document.getElementById('today')
  if (today) {
    var there = new Date(new Date().getTime() + 8 * 3600000)
    var days = '日一二三四五六'
    today.innerHTML =
      there.getUTCMonth() + 1 + ' 月 ' + there.getUTCDate() + ' 日 星期' + days.charAt(there.getUTCDay())
  }

  if (!able) {
    say('old')
    return
  }

  /* A script that cannot be had, or that this browser cannot read. The page takes its own faults from then on. */
  window.addEventListener(
    'error',
    function (event) {
      if (root.getAttribute('data-boot') === 'begun') return
      var missing = event.target && event.target.tagName === 'SCRIPT'
      var unread = event.error && event.error.name === 'SyntaxError'
      if (missing) say('failed')
      else if (unread) say('old')
    },
    true,
  )
})()
