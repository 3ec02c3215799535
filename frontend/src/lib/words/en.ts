import { grouped, whole, yuan } from '../format/amount'
import { type Article, readClause } from './clause'
import type { LocalTime, Span } from '../format/time'
import type { Pace } from '../tally/pace'
import type { Amounts, Axis, Gate, Measure, Need, Side, Standing, TallyReading, Titled } from '../tally/reading'
import type { Words } from './zh'

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const LONG_WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const LONG_MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const NUMERALS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
const numeral = (n: number) => NUMERALS[n] ?? whole(n)
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
const plural = (n: number | bigint, one: string, many = `${one}s`) => `${whole(n)} ${Number(n) === 1 ? one : many}`

const heads = (n: bigint | number) => plural(n, 'owner')
const area = (h: bigint) => `${grouped(h)} m²`
const amount = (measure: Measure, value: bigint) => (measure === 'heads' ? heads(value) : area(value))
const both = ({ heads: h, area: a }: Amounts) => `${heads(h)} and ${area(a)}`

const FRACTIONS: Record<string, string> = { '1/2': 'half', '2/3': 'two thirds', '3/4': 'three quarters' }
const fraction = (need: Need) => FRACTIONS[need.text] ?? need.text
const reach = (need: Need) => (need.exceeded ? 'over half' : fraction(need))
/** What has to be reached, as one says it: to go until over half, until two thirds. */
const goal = (need: Need) => (need.exceeded ? 'over half' : fraction(need))
const shortOf = (need: Need) => (need.exceeded ? 'not over half' : `short of ${fraction(need)}`)
const sides: Record<Side, string> = { FOR: 'For', FOLLOW: 'With the majority', AGAINST: 'Against', ABSTAIN: 'Abstain' }

const missing = (g: Gate) =>
  [!g.heads.met && heads(g.heads.missing), !g.area.met && area(g.area.missing)].filter(Boolean).join(' and ')

const shortMeasures = (g: Gate) =>
  !g.heads.met && !g.area.met ? 'in owners and in area' : g.heads.met ? 'in area' : 'in owners'

const date = (t: LocalTime) => `${t.day} ${MONTHS[t.month - 1]}${t.thisYear ? '' : ` ${t.year}`}`
const NEAR: Record<number, string> = { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' }
const day = (t: LocalTime) => NEAR[t.daysAway] ?? (t.thisYear ? `${WEEKDAYS[t.weekday]} ${date(t)}` : date(t))
/** Midnight is said with the day it ends, so that nobody comes a day late. */
const clock = (t: LocalTime) => (t.clock === '24:00' ? '24:00 (midnight)' : t.clock)
const when = (t: LocalTime) => `${day(t)}${NEAR[t.daysAway] ? '' : ','} ${clock(t)}`
const month = (name: string) => LONG_MONTHS[Number(name.slice(5)) - 1] ?? name
const yearMonth = (name: string) => `${month(name)} ${name.slice(0, 4)}`

const PARTIES: Record<string, string> = {
  OWNERS_COMMITTEE: "the owners' committee",
  MANAGEMENT_COMMITTEE: 'the management committee',
  PROPERTY_SERVICE: 'the property manager',
}

export const en: Words = {
  meta: { lang: 'en' },

  site: {
    name: 'Meilin',
    tagline: "Neighbours' notice board",
    title: (page) => `${page} · Meilin`,
    skip: 'Skip to content',
    settings: 'Display and sign-in',
    bigger: 'Larger',
    biggerOn: 'Text is larger; press for the usual size',
    biggerOff: 'Larger text, only what matters most',
    language: '中文',
    languageLabel: '中文：用中文看这一页',
    allCommunities: 'All communities',
    explorer: 'API explorer',
    demo: 'A demonstration: the estates are real, the residents and figures are made up.',
    retry: 'Try again',
    loading: 'Loading',
  },

  line: {
    live: 'Live',
    connecting: 'Connecting',
    lost: (clock) => `Connection lost, figures as of ${clock}`,
    stale: (ago) => `Could not update; this is from ${ago}.`,
    justNow: 'just now',
  },

  time: {
    when,
    day,
    date: (t) => `${LONG_WEEKDAYS[t.weekday]}, ${date(t)}`,
    dateOnly: date,
    clock,
    exact: (t) => `${t.day} ${MONTHS[t.month - 1]} ${t.year}, ${t.clock}:${t.seconds} (China time)`,
    fromTo: (from, to, oneDay) => `${when(from)} to ${oneDay ? clock(to) : when(to)}`,
    from: (t) => `from ${when(t)}`,
    to: (t) => `until ${when(t)}`,
    left: (s) => `${span(s)} left`,
    in: (s) => `in ${span(s)}`,
    ago: (s) => `${span(s)} ago`,
  },

  amount: { unit: { heads: 'owners', area: 'm²' } },

  problem: {
    UNREACHABLE: 'The server cannot be reached. Try again when the network is back; what you entered is still here.',
    UNKNOWN_ACCOUNT: 'There is no such account. Please check the spelling.',
    INTERNAL: 'Something went wrong on our side. Please try again shortly.',
    other: 'That did not work. Please try again shortly.',
    loadTitle: 'This page could not be opened',
    opening: 'Opening',
    languageLost: 'The Chinese words could not be fetched. Press again when the network is back.',
    printLost: 'The QR code could not be fetched; the paper will lack it. Pressing again tries again.',
    signInLost: 'Signing in could not be opened; the network may be away.',
    notFoundTitle: 'No such page',
    notFound: 'The address may be mistyped, or the page may not be public.',
    communityNotFound: 'There is no such community.',
    monthNotFound: 'The ledger has no such month.',
    badAddressTitle: 'This address is mistyped',
    badAddress: 'A letter or a number seems to be missing. Compare it with the paper, or look on the notice board.',
    badMonth: 'A month is written like 2026-05, the year first.',
    noRightsTitle: 'For people of this community only',
    noRights: 'Owners, residents and the property service see it after signing in.',
  },

  session: {
    signIn: 'Sign in',
    signOut: 'Sign out',
    title: 'Sign in with a demonstration account',
    explain: 'Pick who you want to be. No password needed.',
    community: 'Community',
    free: 'Another account',
    freeHint: 'e.g. meizai-meicheng/resident-7',
    go: 'Sign in',
    going: 'Signing in',
    close: 'Close',
    lapsed: (who) => `The session of ${who} has ended. What you entered is still here; sign in to go on.`,
    signInHere: 'Sign in to go on from this step.',
    signedInAs: (who) => `You are ${who}`,
    who: (account) => who(account),
    roles: {
      'resident-1': 'Owner: may vote and sign up',
      'tenant-1': 'Tenant: may sign up, not vote',
      committee: 'May publish notices and events and keep the ledger',
      manager: 'May publish notices and events, keeps the ledger',
    },
  },

  home: {
    title: 'What is being decided today',
    summary: (communities, households, votes) =>
      `${capital(numeral(communities))} ${communities === 1 ? 'community' : 'communities'}, *${whole(households)}* households, ${votes ? `*${whole(votes)}* ${votes === 1 ? 'vote' : 'votes'} open.` : 'no vote open now.'}`,
    stranger: 'A housing estate’s notice board, kept by its owners’ committee and property service: anyone may read, owners sign in to vote, residents to join events.',
    resident: 'A housing estate’s notice board, kept by its owners’ committee and property service: you are signed in, so vote and sign up where you live.',
    households: (n) => plural(n, 'household'),
    ownerCards: (n) => `${whole(n)} with an electronic owner card`,
    residents: (n) => plural(n, 'resident'),
    openVotes: (n) => (n ? `${capital(numeral(n))} ${n === 1 ? 'vote' : 'votes'} open` : 'No vote open now'),
    noVotes: 'The next vote will be announced here.',
    nextEvent: 'Coming up',
    enter: (name) => `Notice board of ${name}`,
    empty: 'No communities yet',
    emptyHint: 'Communities are listed here once they have joined.',
  },

  news: {
    look: 'Look',
    notices: (n) => `${plural(n, 'new notice')}`,
    events: (n) => `${plural(n, 'new event')}`,
    corrected: (n) => `${plural(n, 'notice')} corrected`,
    withdrawn: (n) => `${plural(n, 'notice')} withdrawn`,
    eventCorrected: (n) => `${plural(n, 'event')} corrected`,
    ledger: 'New in the ledger',
    entries: (n) => plural(n, 'new entry', 'new entries'),
    announced: (n) => `${plural(n, 'vote')} announced`,
    opened: 'Voting has begun',
    closed: 'A vote has closed',
    several: (n) => `${whole(n)} new things`,
    changed: 'This page has changed',
  },

  board: {
    comma: ', ',
    menu: 'What matters most; press to go there',
    rest: 'Also on the board',
    parts: { others: 'More votes', announced: 'Soon', notices: 'Notices', money: 'Money', recent: 'Results', feed: 'Lately' },
    toVote: 'Owners to go',
    toAgree: 'Still to agree',
    opens: 'Voting opens',
    voting: 'This vote',
    survey: 'Consultation',
    figure: (measure, value) => (measure === 'heads' ? `*${whole(value)}*` : `*${grouped(value)}* m²`),
    enough: '*enough*',
    counting: '*counting*',
    filled: (n) => `*${whole(n)}* answered`,
    noVote: '*none open*',
    yours: 'Your ballot',
    cast: '*cast*',
    filledIn: '*answered*',
    notCast: '*not cast*',
    notFilled: '*not yet*',
    castSome: (done, of) => `*${done}/${of}* cast`,
    signIn: '*sign in*',
    notYours: '*owners vote*',
    byCoOwner: '*co-owner*',
    money: 'In the account',
    eventLeft: (t) => `${soonDay(t)}, places`,
    event: (t) => `${soonDay(t)}, event`,
    eventYours: (t) => `${soonDay(t)}, yours`,
    places: (n) => `*${whole(n)}* left`,
    comingOf: (n) => `*${n}* coming`,
    comes: (n) => `*${whole(n)}* coming`,
    signUpOver: '*closed*',
    full: '*full*',
    running: '*on now*',
    events: 'Events',
    noEvent: '*none yet*',
  },

  bulletin: {
    votes: (n) => (n ? `${capital(numeral(n))} ${n === 1 ? 'vote' : 'votes'} open` : 'No vote open now'),
    votesEmpty: 'Once the next vote is announced, it says here when it opens and how many owners it needs.',
    otherVotes: 'Other votes',
    announced: 'Opening soon',
    recent: 'Recent results',
    events: 'Coming up',
    eventsEmpty: 'No events yet.',
    notices: 'Notices',
    noticesEmpty: 'No notices yet.',
    feed: 'What happened lately',
    feedEmpty: 'Whatever happens will be listed here.',
    feedMore: 'Earlier',
    feedLoading: 'Loading',
    publish: 'A notice, an event, a ledger entry',
    publishAsk: 'Something to tell everyone?',
    kinds: {
      VOTE_ANNOUNCED: 'Vote announced',
      VOTE_OPENED: 'Voting opened',
      VOTE_CLOSED: 'Voting closed',
      EVENT_PUBLISHED: 'New event',
      NOTICE_PUBLISHED: 'New notice',
      NOTICE_CORRECTED: 'Notice corrected',
      NOTICE_WITHDRAWN: 'Notice withdrawn',
      EVENT_CORRECTED: 'Event corrected',
      LEDGER_PUBLISHED: 'New in the ledger',
    },
    otherKind: 'News',
    ledgerSubject: 'Our money',
    gone: 'No longer public',
  },

  vote: {
    closesIn: (left, at) => `${left}, closes ${at}`,
    opensAt: (at, left) => `Opens ${at}, ${left}`,
    opensOn: (at) => `Opens ${at}`,
    closesAt: (at) => `Closes ${at}`,
    closedAt: (at) => `Closed ${at}`,
    closing: 'Closing now',
    revisable: 'may be changed until it closes',
    survey: 'Consultation',
    onDisplay: 'Result on display',
    certified: 'Result certified',
    published: 'Result published',
    convenedBy: (name) => `Convened by ${name}`,
    scope: (building) => `Only the owners of ${building} vote`,
    about: 'What it is about',
    questionTitle: (n, title) => `${n}. ${title}`,
    join: 'Vote now',
    joinSurvey: 'Answer now',
    change: 'Change my answer',
    look: 'See this vote',
    notes: {
      unknown: () => '',
      cast: (survey) => (survey ? 'You have not answered yet' : 'You have not voted yet'),
      done: (survey) => (survey ? 'You have answered' : 'You have voted'),
      signIn: (survey) => `Owners can ${survey ? 'answer' : 'vote'} after signing in.`,
      notOnRoll: (survey) => `Owners on the roll ${survey ? 'answer' : 'vote'}.`,
      otherCasts: (survey) => `Another co-owner ${survey ? 'answers for' : 'casts the vote of'} your household.`,
    },
    seeReceipt: 'See the receipt',
    signIn: 'Sign in to vote',
    signInSurvey: 'Sign in to answer',
    notOnRoll: (who) => `Only owners on the roll may vote. ${capital(who)} is not on the roll of this vote.`,
    matter: (name) => `Kind of decision: ${name}`,
    matters: {
      RULES_OF_PROCEDURE: 'adopt or amend the rules of procedure',
      COVENANT: 'adopt or amend the management covenant',
      ELECT_COMMITTEE: "elect the owners' committee",
      ENGAGE_PROVIDER: 'engage or dismiss the property service',
      USE_FUND: 'use the maintenance fund',
      RAISE_FUND: 'raise the maintenance fund',
      REBUILD: 'rebuild or alter buildings and facilities',
      CHANGE_COMMON_PARTS: 'change the use of common parts, or do business with them',
      SPEND_INCOME: 'spend communal income',
      OTHER_MATTER: 'another major matter',
      CONSULTATION: 'consultation',
    },
    backToBulletin: 'Back to the notice board',
    resultPrint: 'Print the result',
    print: 'Print this vote',
  },

  tally: {
    sides,
    measures: { heads: 'Owners', area: 'Area' },
    mark: goal,
    markNeeds: (measure, value) => `needs ${amount(measure, value)}`,
    ask: {
      NOT_YET_OPEN: 'Not open yet. To count, it needs',
      TOO_FEW: 'Not enough have voted yet, still to go',
      NOT_AGREED: 'Enough have voted, still needed in favour',
      HOLDS: 'The owners who voted are',
      ENOUGH_HIDDEN: 'The owners who voted are',
      COUNTING: 'Voting is over',
      ADOPTED: 'Voting is over, the motion is',
      NOT_ADOPTED: 'Voting is over, the motion is',
      NO_QUORUM: 'Voting is over, those who voted were',
      ANNULLED: 'This vote has been',
    } satisfies Record<Standing, string>,
    said: {
      HOLDS: 'enough',
      ENOUGH_HIDDEN: 'enough',
      COUNTING: 'counting',
      ADOPTED: 'adopted',
      NOT_ADOPTED: 'not adopted',
      NO_QUORUM: 'too few',
      ANNULLED: 'annulled',
    },
    axisMet: { heads: 'enough owners', area: 'enough area' },
    then,
    participationQuestion: (need) => `Did ${reach(need)} take part?`,
    agreementQuestion: (need) => `Do ${need.exceeded ? 'more than half' : fraction(need)} of them agree?`,
    notYet: 'not yet',
    notReached: 'not enough',
    enough: 'Enough',
    nowAgreed: (need) => `${reach(need)} now`,
    adopted: 'Adopted',
    shortOf,
    axisShort: (measure, axis: Axis) => `${amount(measure, axis.missing)} to go`,
    axisShortClosed: (measure, axis: Axis) => `${amount(measure, axis.missing)} short`,
    axisNeeds: (measure, axis: Axis) => `${amount(measure, axis.missing)} more`,
    axisEnough: 'enough',
    axisAgreed: reach,
    ofAll: (measure, of) => `of *${amount(measure, of)}*`,
    ofThoseWhoVoted: 'voted',
    fan: 'Those who voted, enlarged',
    fanHidden: 'Those who voted',
    forPlusFollow: 'For, with the majority added',
    clause,
    hiddenTitle: 'How people voted is published at the close',
    hidden: (closesAt) =>
      `The rules of this community say so: while voting is open only the turnout is published. After it closes, ${closesAt}, the votes for, against and abstaining are shown here.`,
    follow: followSentence,
    counts: 'Owners and area of each choice',
    countsHead: 'How they voted',
    law: (p) =>
      `${p.scope ?? 'The whole community'}: ${plural(p.flats, 'unit')}, ${heads(p.eligible)}. Someone who owns several units counts as one owner, with all their area. ` +
      `${p.parkingCounts ? 'Parking spaces count as area. ' : 'Parking spaces do not count. '}Abstaining counts as taking part, not as agreeing. ${p.clause}.`,
    article,
    articleAsk: (clause) => `What ${clause} says`,
    pace: {
      onPaper: (p, last) => `Until ${date(last)}, *${paceAmount(p)} a day are enough*.`,
      short: (p) => `${paceAmount(p)} ${p.days === 1 ? 'tomorrow' : 'a day'} will do`,
      sentence: (p, last) =>
        p.days === 1 ? `*${paceAmount(p)}* tomorrow will do.` : `From tomorrow to ${nearDay(last)}, *${paceAmount(p)} a day* will do.`,
      area: (p) => `By area it takes ${area(p.area)} a day.`,
      before: (closes) => `No whole day is left; it closes ${closes}.`,
      average: (days, n) => `${heads(n)} a day over the ${plural(days, 'day')} so far.`,
      label: (p) => (p.days > 2 ? `${whole(p.heads)} a day` : whole(p.heads)),
      caption: 'Owners who voted, day by day',
      day: (t, n) => `${WEEKDAYS[t.weekday]} ${date(t)}: ${heads(n)}`,
      dayToCome: (t, n) => `${WEEKDAYS[t.weekday]} ${date(t)}: ${heads(n)} needed`,
      weekday: (t) => (WEEKDAYS[t.weekday] ?? '').slice(0, 1),
      today: 'today',
    },
    lastBallot: (t) => `Last vote ${t}`,
    noBallotYet: 'Nobody has voted yet',
    arrived: (n) => `${heads(n)} voted just now`,
    spoken,
    spokenAll,
    short: {
      missing: 'To go:',
      met: { heads: 'enough owners', area: 'enough area' },
      need: 'It takes',
      needed: (need) => `${reach(need)}* needed*`,
      sentence: compactSentence,
    },
    partyWeight: (w) => `counts as 1 owner, ${area(w.area)}`,
    stillMissing: (g, closes) => `*${missing(g)}* to go until ${goal(g.need)}. The result will be here after ${closes}.`,
  },

  survey: {
    filled: (n) => `${plural(n, 'household')} answered. This asks for opinions: no threshold, nothing passes or fails.`,
    filledShort: (n) => `${plural(n, 'household')} answered`,
    answered: (n) => `${whole(n)} of them answered this question.`,
    closed: (n) => `Closed, ${plural(n, 'household')} answered. Nothing passes or fails here.`,
    hidden: 'The answers are published after it closes.',
    options: 'Households for each answer',
  },

  event: {
    at: (when, place) => `${capital(when)}, ${place}`,
    places: (n) => `*${whole(n)}* ${n === 1 ? 'place' : 'places'} left`,
    noLimit: (n) => `*${whole(n)}* ${n === 1 ? 'person has' : 'people have'} signed up`,
    full: '*Full*',
    over: '*Over*',
    running: '*On now*',
    signUpClosed: '*Sign-up closed*',
    tables: (tables, signedUp) => `${plural(tables, 'table')} of ten, ${whole(signedUp)} signed up.`,
    seats: (capacity, signedUp) => `${plural(capacity, 'place')}, ${whole(signedUp)} signed up.`,
    came: (n) => `${whole(n)} signed up.`,
    bringDish: 'Each household brings a dish.',
    closesAt: (t) => `Sign up until ${t}`,
    organizers: (names) => `Organised by ${names}`,
    howMany: 'How many of you',
    fewer: 'One fewer',
    moreOne: 'One more',
    most: (n) => `At most ${n} per household`,
    dish: 'Which dish do you bring',
    dishHint: 'e.g. braised pork. Leave it empty if you do not know yet.',
    signUp: 'Sign up',
    signingUp: 'Signing up',
    signedUp: 'You are signed up',
    householdSignedUp: 'Your household is signed up',
    byHousehold: 'Someone in your household signed up for all of you. To change the number, or if you cannot come, you may cancel too.',
    seal: 'Signed up',
    yours: (n) => `*${n}* of you ${n === 1 ? 'comes' : 'come'}`,
    yourDish: (dish) => `bringing ${dish}`,
    cancel: 'We cannot come',
    cancelAsk: (n) => `Your ${n === 1 ? 'place goes' : `${n} places go`} to others at once.`,
    cancelYes: 'Cancel the sign-up',
    cancelNo: 'We will come',
    cancelling: 'Cancelling',
    cancelled: 'Cancelled; the places are free for others.',
    retrySafe: 'We do not know whether it arrived. Pressing again still signs you up only once.',
    cancelRetrySafe: 'We do not know whether it arrived. Pressing again does no harm.',
    signInFirst: 'People living here can sign up after signing in.',
    whoMay: 'Owners, tenants and staff of this community sign up.',
    whoMayCancel: 'Owners, tenants and staff of this community may cancel.',
    print: 'Print a poster',
    signIn: 'Sign in to sign up',
    fullHint: 'When someone cancels, the place is free at once and shows here.',
    notEnough: (n) => `Only ${plural(n, 'place')} left; please bring at most ${n}.`,
    dishes: 'On the tables',
    dishesEmpty: 'No dishes announced yet.',
    who: 'We are',
    people: 'people',
    addDish: 'Say what you bring',
    seenBy: 'Neighbours who are signed in see your building, how many come and the dish; never a name or a door.',
    tablesAre: (tables, signedUp) => `${plural(tables, 'table')}, ${whole(signedUp)} signed up`,
    plan: (tables) => `The ${plural(tables, 'table')} as they will stand; press one to see who sits there`,
    stage: 'Stage',
    legend: { taken: 'taken', free: 'free', yours: 'yours' },
    tableName: (n) => `Table ${n}`,
    tableSays: (n, taken, free, own) =>
      `Table ${n}, ${taken} taken, ${free ? `${free} free` : 'full'}${own ? ', yours' : ''}`,
    tableFree: (free) => (free ? `*${free}* free` : '*full*'),
    tableClose: 'Put the table away',
    neighbour: (building) => (building ? `A household of ${building}` : 'Somebody of the estate'),
    household: 'Your household',
    dishNone: 'No dish named yet',
    dishesMissing: (n) => `${plural(n, 'household')} here ${n === 1 ? 'has' : 'have'} not named a dish.`,
    tableEmpty: 'Nobody sits here yet.',
    tableSignIn: 'Neighbours who are signed in see which buildings sit here and what they bring.',
    tableTrouble: 'This table could not be read.',
    provisional: 'Seated in the order of signing up for now; when someone cancels, later ones move up.',
    about: 'About',
    corrected: (at) => `Wording corrected ${at}`,
  },

  ledger: {
    title: 'Our money',
    thisMonth: 'Our money this month',
    inMonth: (name) => `Our money in ${month(name)}`,
    kick: 'Communal income: what the common parts earn',
    sinceFirst: (name, until) => `Communal income, 1 ${month(name)} to ${until}`,
    whole: (name) => `Communal income, ${yearMonth(name)}`,
    balance: 'In the account now',
    surplus: 'On balance, up',
    deficit: 'On balance, down',
    even: 'On balance, even',
    leftOver: 'left over',
    overspent: 'more than came in',
    opening: (from, to) => `${from} at the start, *${to}* now`,
    openingThen: (from, to) => `${from} at the start, *${to}* at the end`,
    entries: (n) => `Entry by entry (${whole(n)})`,
    noEntries: 'No entries this month yet.',
    empty: 'Nothing has been entered yet.',
    emptyHint: 'Whatever adverts, parking and lockers earn, and whatever is spent, is listed here entry by entry.',
    months: (one, other) => `Month by month, ${one} and ${other}`,
    years: 'Year by year',
    year: (n) => `${n}`,
    yearEnd: (last) => (last.endsWith('-12') ? 'Balance at its end' : `Balance in ${month(last)}`),
    undone: (reversed, reversals) =>
      [reversed > 0n ? `of which *${yuan(reversed)}* reversed` : '', reversals < 0n ? `${reversed > 0n ? ', ' : 'of which '}reversals *${yuan(reversals)}*` : ''].join(''),
    monthsHint: 'Above the line: in. Below: out.',
    monthBar: (name, income, expense) => `${yearMonth(name)}: in ${income}, out ${expense}`,
    monthPick: 'Month',
    earlierMonth: 'Month before',
    laterMonth: 'Month after',
    yearMonth,
    month: (name) => MONTHS[Number(name.slice(5)) - 1] ?? name,
    list: (name) => `Every entry of ${yearMonth(name)}`,
    direction: { INCOME: 'In', EXPENSE: 'Out' },
    balanceAfter: (b) => `balance ${b}`,
    authority: 'Authorised by',
    authorityNone: 'no authority stated',
    byVote: (title) => `the vote "${title}"`,
    reverses: (n, on) => `takes back no. ${whole(n)} (${on})`,
    reversedBy: (n, on) => `reversed by no. ${whole(n)} (${on})`,
    late: (on) => `recorded on ${on}`,
    recorded: (by, on) => (by ? `Recorded by ${PARTIES[by] ?? by}, ${on}` : `Recorded ${on}`),
    faults: {
      NOT_COUNTED: 'This vote has not been counted; it authorises nothing.',
      NOT_ADOPTED: 'This vote was not adopted, or not in every question; it authorises nothing.',
      NO_QUORUM: 'Too few took part in this vote; it authorises nothing.',
      ANNULLED: 'This vote was annulled; it authorises nothing.',
      CONSULTATION: 'This only asked for opinions; it authorises nothing.',
      OTHER_MATTER: 'This vote decided something else; it does not authorise this.',
    },
    voucher: (v) => `voucher ${v}`,
    more: 'More entries',
    loadingMore: 'Loading',
    allShown: 'That is all of this month.',
    notAll: (there: number, all: number) =>
      `This paper is not complete${all > there ? `: ${there} of the ${all} entries of this month are on it` : ''}. See them all on the page, and print again.`,
    noRights: 'Only the owners of this community see the ledger.',
    print: 'Print this month',
    record: 'Record an entry',
    entriesOf: (name) => `See the entries of ${yearMonth(name)}`,
    categories: {
      PARKING_COMMON: 'Parking',
      ADVERTISING: 'Adverts',
      PREMISES_RENT: 'Premises',
      SITE_RENT: 'Stalls',
      PARCEL_LOCKER: 'Lockers',
      TELECOM_SITE: 'Telecom',
      CHARGING: 'Charging',
      COMPENSATION: 'Compensation',
      INTEREST: 'Interest',
      OTHER: 'Other',
      FUND_TOP_UP: 'Fund top-up',
      REPAIR_UPGRADE: 'Repairs',
      OPERATING_COST: 'Running costs',
      COMMITTEE_COST: 'Committee',
      ALLOWANCE: 'Allowances',
      AUDIT: 'Audit',
      COMMUNITY_EVENT: 'Events',
      OTHER_RESOLVED: 'As resolved',
    },
  },

  print: {
    on: (date, clock) => `Printed ${date}, ${clock}`,
    from: (address) => `Live figures at ${address}`,
  },

  notice: {
    by: (name, at) => `${name}, ${at}`,
    kinds: { NOTICE: 'Notice', DISPLAY: 'On display' },
    print: 'Print this notice',
    withdrawn: 'Withdrawn',
    corrected: (at, by) => `Corrected ${at} (${by})`,
    earlier: (open) => (open ? 'Hide the earlier text' : 'See the earlier text'),
    saidUntil: (since, until) => `As it stood, ${since} to ${until}`,
  },

  field: {
    count: (n) => `${plural(n, 'character')}; nothing is cut`,
    timed: (n) => `${plural(n, 'character')}, read in about ${reading(n)}`,
    left: (n) => `${whole(n)} left`,
    over: (n) => `${whole(n)} too many`,
    tooLong: (most) => `At most ${whole(most)} characters; please shorten it yourself.`,
  },
}

function reading(characters: number): string {
  const seconds = Math.ceil(characters / 40) * 10
  return seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

const LAWS: Record<string, string> = {
  民法典: 'Civil Code',
  杭州市物业管理条例: 'Hangzhou Property Management Regulations',
}

function clause(text: string): string {
  const read = readClause(text)
  if (!read) return text
  const several = read.articles.length > 1 || read.articles.some(({ until }) => until)
  return `${LAWS[read.law] ?? `《${read.law}》`} ${several ? 'Arts.' : 'Art.'} ${read.articles.map(numbered).join(', ')}`
}

function numbered({ number, inserted, until, paragraph, item }: Article): string {
  const later = inserted ? `-${inserted}` : until ? `–${until}` : ''
  const below = item ? `${paragraph ? `(${paragraph})` : ''}(${item})` : paragraph ? ` para. ${paragraph}` : ''
  return `${number}${later}${below}`
}

function span({ days, hours, minutes }: Span): string {
  if (days) return hours ? `${plural(days, 'day')} ${plural(hours, 'hour')}` : plural(days, 'day')
  if (hours) return minutes ? `${plural(hours, 'hour')} ${minutes} min` : plural(hours, 'hour')
  return `${minutes} min`
}

function who(account: string): string {
  const [place, name = ''] = account.split('/')
  const [, role = name, number] = /^(.*?)-(\d+)$/.exec(name) ?? []
  const names: Record<string, string> = {
    resident: 'resident',
    tenant: 'tenant',
    clerk: 'clerk',
    committee: place === 'zijin-xiyuan' ? 'management committee' : "owners' committee",
    manager: 'property service',
    grid: 'grid worker',
    branch: 'party branch',
    developer: 'developer',
    regulator: 'regulator',
    integrator: 'integrator',
  }
  const known = names[role]
  if (!known) return account
  return number ? `${known} no. ${number}` : known
}

function agreementNow(g: Gate | null, participating: Amounts): string {
  if (!g || participating.heads === 0n) return ''
  return g.met
    ? ` Of those who voted, ${reach(g.need)} agree now.`
    : ` Of those who voted, those who agree are ${shortOf(g.need)} now.`
}

function then(r: TallyReading, outOfReach: boolean): string {
  const { participation: p, agreement: a } = r
  const rule = `The vote only counts if ${reach(p.need)} of the owners, with ${reach(p.need)} of the area, take part.`
  const reached = `${capital(goal(p.need))} of the owners and of the area took part, so this vote counts.`
  switch (r.standing) {
    case 'NOT_YET_OPEN':
      return rule
    case 'TOO_FEW':
      return rule + agreementNow(a, r.participating)
    case 'NOT_AGREED':
      if (outOfReach) return `Even if all the others agreed, it would stay ${shortOf(a!.need)}.`
      return `This many more, if all of them agree, until it is ${reach(a!.need)}.`
    case 'HOLDS':
      return reached + agreementNow(a, r.participating)
    case 'ENOUGH_HIDDEN':
      return `${reached} How they voted is published at the close.`
    case 'COUNTING':
      return 'The result will be here as soon as it is out.'
    case 'ADOPTED':
      return `${capital(goal(p.need))} took part and ${a ? reach(a.need) : 'enough'} of them agreed, in owners and in area.`
    case 'NOT_ADOPTED':
      return `${capital(goal(p.need))} took part, but those who agreed were ${a ? `${shortOf(a.need)} ${shortMeasures(a)}` : 'too few'}. That does not decide the opposite.`
    case 'NO_QUORUM':
      return `${capital(missing(p))} short of ${goal(p.need)}, so the vote does not count and nothing is decided either way.`
    case 'ANNULLED':
      return 'This vote no longer counts; the figures are kept as a record.'
  }
}

function followSentence(r: TallyReading, following: Amounts, asAbstain: boolean): string {
  if (following.heads === 0n) return 'Nobody has chosen to go with the majority yet.'
  const amounts = both(following)
  if (asAbstain) return `The rules count the ${amounts} who go with the majority as abstaining.`
  if (!r.leader) {
    return `No side leads both in owners and in area now, so the ${amounts} who go with the majority count as abstaining. Once one leads, they join it.`
  }
  const joined = r.leader === 'FOR' && r.agreeing ? `: ${both(r.agreeing)} together` : ''
  return `"${sides[r.leader]}" leads in owners and in area, so the ${amounts} who go with the majority join it now${joined}. If the lead changes, they change with it.`
}

const speak = (text: string) => text.replaceAll('m²', 'square metres').trim()
const spokenTurnout = (r: TallyReading) => `${whole(r.participating.heads)} of ${heads(r.eligible.heads)} have voted.`

function spoken(r: TallyReading): string {
  return `${spokenTurnout(r)} ${spokenStanding(r)}`
}

/** Of several questions each by its title: none of them speaks for the whole vote. */
function spokenAll(all: readonly Titled[]): string {
  const turnouts = new Set(all.map(({ reading }) => spokenTurnout(reading)))
  if (turnouts.size === 1) return [...turnouts, ...all.map(({ reading, title }) => `${title}: ${spokenStanding(reading)}`)].join(' ')
  return all.map(({ reading, title }) => `${title}: ${spoken(reading)}`).join(' ')
}

function spokenStanding(r: TallyReading): string {
  const { participation: p, agreement: a } = r
  const closed: Partial<Record<Standing, string>> = {
    ADOPTED: 'Voting is over: adopted.',
    NOT_ADOPTED: 'Voting is over: not adopted.',
    NO_QUORUM: 'Voting is over: too few took part.',
    ANNULLED: 'This vote has been annulled.',
    COUNTING: 'Voting is over, counting.',
    NOT_YET_OPEN: 'Voting has not opened yet.',
  }
  const end = closed[r.standing]
  const first = p.met ? `${capital(reach(p.need))} took part. ` : `${missing(p)} to go until ${goal(p.need)}. `
  const second = !a || r.participating.heads === 0n ? '' : `Agreement is ${a.met ? reach(a.need) : shortOf(a.need)} now.`
  return speak(end ?? first + second)
}

const nearDay = (t: LocalTime) => NEAR[t.daysAway] ?? (t.daysAway < 7 ? (LONG_WEEKDAYS[t.weekday] ?? '') : date(t))
const soonDay = (t: LocalTime) => capital(t.daysAway >= 0 && t.daysAway < 7 ? (NEAR[t.daysAway] ?? WEEKDAYS[t.weekday] ?? '') : date(t))
const paceAmount = (p: Pace) => (p.heads > 0n ? heads(p.heads) : area(p.area))

function article(clause: string, gate: 'PARTICIPATION' | 'AGREEMENT', need: Need) {
  const sources: Record<string, string> = {
    '\u6c11\u6cd5\u5178 278': 'Civil Code of the PRC, article 278, second paragraph; in force since 1 January 2021.',
    '\u676d\u5dde\u5e02\u7269\u4e1a\u7ba1\u7406\u6761\u4f8b 16':
      'Hangzhou property management regulations, article 16, in force since 1 March 2022; the thresholds are those of Civil Code article 278.',
  }
  const source = sources[clause]
  if (!source) return null
  const plain =
    gate === 'PARTICIPATION'
      ? 'Of all owners, at least two thirds by number and two thirds by area must take part, or the vote does not count. Exactly two thirds is enough.'
      : need.exceeded
        ? 'Of those who take part, more than half by number and by area must agree; exactly half is not enough. Abstaining counts as taking part, not as agreeing.'
        : 'Of those who take part, at least three quarters by number and by area must agree; exactly three quarters is enough. Abstaining counts as taking part, not as agreeing.'
  return { plain, quoted: null, source }
}

function compactSentence(r: TallyReading): string {
  if (r.participating.heads === 0n) return 'Nobody has voted yet.'
  if (!r.sides || !r.agreement) return `${capital(heads(r.participating.heads))} voted. How they voted is published at the close.`
  const now = ['ADOPTED', 'NOT_ADOPTED', 'NO_QUORUM', 'ANNULLED', 'COUNTING'].includes(r.standing) ? '' : ' now'
  const verdict = r.agreement.met
    ? `${reach(r.agreement.need)} agree${now}`
    : `those who agree are ${shortOf(r.agreement.need)} ${shortMeasures(r.agreement)}${now}`
  return `Of ${heads(r.participating.heads)} who voted, ${verdict}.`
}

