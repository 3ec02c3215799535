import { grouped, whole, yuan } from '../format/amount'
import type { LocalTime, Span } from '../format/time'
import type { Pace } from '../tally/pace'
import type { Amounts, Axis, Gate, Measure, Need, Side, Standing, TallyReading, Titled } from '../tally/reading'
import type { VoteDeed } from '../votes/deed'
import { type Article, readClause } from './clause'

const WEEKDAYS = ['日', '一', '二', '三', '四', '五', '六']
const DIGITS = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九', '十']
const numeral = (n: number) => DIGITS[n] ?? String(n)

const heads = (n: bigint | number) => `${whole(n)} 户`
const area = (h: bigint) => `${grouped(h)} ㎡`
const amount = (measure: Measure, value: bigint) => (measure === 'heads' ? heads(value) : area(value))
const both = ({ heads: h, area: a }: Amounts) => `${heads(h)}、${area(a)}`

const fraction = (need: Need) =>
  need.text === '1/2' ? '一半' : `${numeral(Number(need.denominator))}分之${numeral(Number(need.numerator))}`
const reach = (need: Need) => (need.exceeded ? '过半' : `满${fraction(need)}`)
/** What has to be reached, as one says it: 离过半还差, 离三分之二还差. */
const goal = (need: Need) => (need.exceeded ? '过半' : fraction(need))
const reached = (need: Need) => (need.exceeded ? '过了半' : `满了${fraction(need)}`)
const shortOf = (need: Need) => (need.exceeded ? '没过半' : `没满${fraction(need)}`)
const sides: Record<Side, string> = { FOR: '赞同', FOLLOW: '随多数', AGAINST: '反对', ABSTAIN: '弃权' }

/** 还差 37 户、2,145.60 ㎡; what is met already is said so, never as 0.00. */
const missing = (g: Gate) =>
  [!g.heads.met && heads(g.heads.missing), !g.area.met && area(g.area.missing)].filter(Boolean).join('、')

const shortMeasures = (g: Gate) =>
  !g.heads.met && !g.area.met ? '人数和面积都' : g.heads.met ? '人数够了，面积' : '面积够了，人数'

const date = (t: LocalTime) => `${t.thisYear ? '' : `${t.year} 年 `}${t.month} 月 ${t.day} 日`
const NEAR: Record<number, string> = { '-1': '昨天', 0: '今天', 1: '明天', 2: '后天' }
const day = (t: LocalTime) => NEAR[t.daysAway] ?? (t.thisYear ? `${date(t)} 周${WEEKDAYS[t.weekday]}` : date(t))
const when = (t: LocalTime) => `${day(t)} ${t.clock}`
const month = (name: string) => `${Number(name.slice(5))} 月`
const yearMonth = (name: string) => `${name.slice(0, 4)} 年 ${month(name)}`

const PARTIES: Record<string, string> = { OWNERS_COMMITTEE: '业委会', MANAGEMENT_COMMITTEE: '物管委', PROPERTY_SERVICE: '物业' }

export const zh = {
  meta: { lang: 'zh-CN' },

  site: {
    name: '美邻',
    tagline: '小区公告栏',
    title: (page: string) => `${page} · 美邻`,
    skip: '跳到正文',
    settings: '显示和登录',
    bigger: '大字',
    biggerOn: '字已放大，点一下恢复',
    biggerOff: '把字放大，只留要紧的',
    language: 'EN',
    languageLabel: 'EN: read this page in English',
    allCommunities: '所有小区',
    explorer: '数据接口',
    demo: '这里是演示，小区是真的，住户和数字是编的。',
    retry: '再试一次',
    loading: '正在取数据',
  },

  line: {
    live: '实时更新中',
    connecting: '正在接通',
    lost: (clock: string) => `断线了，数字停在 ${clock}`,
    stale: (ago: string) => `没能更新，这是${ago}的。`,
    justNow: '刚才',
  },

  time: {
    when,
    day,
    date: (t: LocalTime) => `${date(t)} 星期${WEEKDAYS[t.weekday]}`,
    dateOnly: date,
    clock: (t: LocalTime) => t.clock,
    exact: (t: LocalTime) => `${t.year} 年 ${t.month} 月 ${t.day} 日 ${t.clock}:${t.seconds}（北京时间）`,
    /** `to` as `localEnd` gives it: 24:00 and not the next day's 0:00. */
    fromTo: (from: LocalTime, to: LocalTime, oneDay: boolean) => `${when(from)} 到 ${oneDay ? to.clock : when(to)}`,
    from: (t: LocalTime) => `${when(t)} 起`,
    to: (t: LocalTime) => `到 ${when(t)}`,
    left: (s: Span) => `还有 ${span(s)}`,
    in: (s: Span) => `${span(s)}后`,
    ago: (s: Span) => ` ${span(s)}前`,
  },

  amount: { unit: { heads: '户', area: '㎡' } },

  problem: {
    UNREACHABLE: '连不上服务器。等网络好了再试一次，填过的都还在。',
    UNKNOWN_ACCOUNT: '没有这个账号，看看有没有写错。',
    INTERNAL: '服务器那边出了点问题，稍后再试一次。',
    other: '没有办成，稍后再试一次。',
    loadTitle: '没能打开这一页',
    opening: '正在打开',
    languageLost: '没能取来英文的字，网络好了再点一次。',
    printLost: '没能取来二维码，打印出来没有它。再按一次会再取。',
    signInLost: '登录的那一页没取到，可能是网络断了。',
    notFoundTitle: '没有这一页',
    notFound: '可能网址抄错了，也可能它不对外公开。',
    communityNotFound: '没有找到这个小区。',
    monthNotFound: '账本里没有这个月。',
    badAddressTitle: '网址写得不对',
    badAddress: '像是抄错或少了几个字，请对照纸上再输一遍，或从公告栏里找。',
    badMonth: '月份要写成 2026-05 这样，先年后月。',
    noRightsTitle: '这里只给本小区的人看',
    noRights: '业主、住户和物业登录以后就能看到。',
  },

  session: {
    signIn: '登录',
    signOut: '退出登录',
    title: '用演示账号登录',
    explain: '挑一个身份看看，不用密码。',
    community: '小区',
    free: '别的账号',
    freeHint: '比如 meizai-meicheng/resident-7',
    go: '登录',
    going: '正在登录',
    close: '关上',
    lapsed: (who: string) => `${who}的登录已经到期。填过的都还在，登录以后接着办。`,
    signInHere: '登录以后，从这一步接着办。',
    signedInAs: (who: string) => `现在的身份：${who}`,
    who: (account: string) => who(account),
    roles: {
      'resident-1': '业主，能投票、能报名',
      'tenant-1': '租客，能报名，不能投票',
      committee: '能发公告、办活动、记账',
      manager: '能发公告、办活动、记账',
    } as Record<string, string>,
  },

  home: {
    title: '今天在商量什么',
    summary: (communities: number, households: number, votes: number) =>
      `${counted(communities)}个小区，*${whole(households)}* 户人家，${votes ? `*${whole(votes)}* 件事正在表决。` : '眼下没有表决。'}`,
    stranger: '这里是小区的公告栏，业委会（或物管委）和物业在管：谁都能看，业主登录后投票，住户登录后报名。',
    resident: '这里是小区的公告栏，业委会（或物管委）和物业在管：您已登录，自家小区的表决能投票，活动能报名。',
    households: (n: number) => `${whole(n)} 户人家`,
    ownerCards: (n: number) => `${whole(n)} 户领了电子业主卡`,
    residents: (n: number) => `${whole(n)} 位居民`,
    openVotes: (n: number) => (n ? `${counted(n)}件事正在表决` : '眼下没有表决'),
    noVotes: '有新的表决，会在这里写出来。',
    nextEvent: '接下来的活动',
    enter: (name: string) => `进${name}的公告栏`,
    empty: '还没有小区',
    emptyHint: '小区开通以后会列在这里。',
  },

  /** What arrived while somebody was reading: nothing moves until they want to see it. */
  news: {
    look: '看看',
    notices: (n: number) => `刚贴了 ${n} 张`,
    events: (n: number) => `新办 ${n} 个活动`,
    corrected: (n: number) => `${n} 张公告更正了`,
    withdrawn: (n: number) => `${n} 张公告撤下了`,
    eventCorrected: (n: number) => `${n} 个活动更正了`,
    ledger: '账上新记了',
    entries: (n: number) => `账上新记了 ${n} 笔`,
    announced: (n: number) => `又公布了 ${n} 件表决`,
    opened: '开始投票了',
    closed: '表决结束了',
    several: (n: number) => `多了 ${n} 条动静`,
    changed: '这一页有变化',
  },

  /** The answers under the masthead: a label, and the figure or word one came for. */
  board: {
    comma: '，',
    menu: '要紧的几样，点一下就到',
    rest: '板上还有',
    parts: { others: '别的表决', announced: '就要表决', notices: '公告', money: '大家的钱', recent: '结果', feed: '动静' },
    toVote: '投票还差',
    toAgree: '赞同还差',
    opens: '投票开始',
    voting: '这次表决',
    survey: '征求意见',
    figure: (measure: Measure, value: bigint) => (measure === 'heads' ? `*${whole(value)}* 户` : `*${grouped(value)}* ㎡`),
    enough: '*够数了*',
    counting: '*正在计票*',
    filled: (n: bigint) => `*${whole(n)}* 户填了`,
    noVote: '*眼下没有*',
    yours: '您家的票',
    cast: '*投了*',
    filledIn: '*填了*',
    notCast: '*还没投*',
    notFilled: '*还没填*',
    castSome: (done: number, of: number) => `投了 *${done}/${of}*`,
    signIn: '*登录再投*',
    notYours: '*业主才投*',
    byCoOwner: '*共有人投*',
    money: '账上现在有',
    eventLeft: (t: LocalTime, title: string) => `${soonDay(t)}${gathering(title)}还有`,
    event: (t: LocalTime, title: string) => `${soonDay(t)}${gathering(title)}`,
    eventYours: (t: LocalTime) => (soonDay(t) ? `${soonDay(t)}您家` : '您家报名'),
    places: (n: number) => `*${whole(n)}* 位`,
    comingOf: (n: number) => `*${n}* 人`,
    comes: (n: number) => `*${whole(n)}* 人来`,
    signUpOver: '*报名截止*',
    full: '*坐满了*',
    running: '*正在进行*',
    events: '活动',
    noEvent: '*还没有*',
  },

  bulletin: {
    votes: (n: number) => (n ? `${counted(n)}件事正在表决` : '眼下没有表决'),
    votesEmpty: '下一次表决公布以后，这里写着什么时候投、要多少户来投。',
    otherVotes: '别的表决',
    announced: '就要表决的',
    recent: '最近的结果',
    events: '接下来的活动',
    eventsEmpty: '还没有新的活动。',
    notices: '公告',
    noticesEmpty: '还没有公告。',
    feed: '这些天的动静',
    feedEmpty: '有了动静，这里会一条条写下来。',
    feedMore: '看更早的',
    feedLoading: '正在取',
    publish: '发公告、办活动、记账',
    publishAsk: '要告诉大家什么？',
    kinds: {
      VOTE_ANNOUNCED: '表决公布',
      VOTE_OPENED: '开始投票',
      VOTE_CLOSED: '表决结束',
      EVENT_PUBLISHED: '新活动',
      NOTICE_PUBLISHED: '新公告',
      NOTICE_CORRECTED: '公告更正',
      NOTICE_WITHDRAWN: '公告撤下',
      EVENT_CORRECTED: '活动更正',
      LEDGER_PUBLISHED: '账上新记了一笔',
    },
    otherKind: '新动静',
    ledgerSubject: '大家的钱',
    gone: '这一条已经不公开了',
  },

  vote: {
    closesIn: (left: string, at: string) => `${left}，${at} 截止`,
    opensAt: (at: string, left: string) => `${at} 开始投票，${left}`,
    opensOn: (at: string) => `${at} 开始投票`,
    closesAt: (at: string) => `${at} 截止`,
    closedAt: (at: string) => `${at} 截止`,
    closing: '马上截止',
    revisable: '截止前可以改',
    survey: '征求意见',
    onDisplay: '结果公示中',
    certified: '结果已确认',
    published: '结果已公布',
    convenedBy: (name: string) => `${name}组织`,
    scope: (building: string) => `只由${building}的业主投`,
    about: '这件事',
    questionTitle: (n: number, title: string) => `${n}. ${title}`,
    join: '我来投票',
    joinSurvey: '我来填',
    change: '改一改',
    look: '看这件事',
    /** Beside the deed, or in place of it: how it stands with this reader, or who may. */
    notes: {
      unknown: () => '',
      cast: (survey: boolean) => (survey ? '您家还没填' : '您家还没投'),
      done: (survey: boolean) => (survey ? '您家填过了' : '您家已投'),
      signIn: (survey: boolean) => `业主登录以后就能${survey ? '填' : '投'}。`,
      notOnRoll: (survey: boolean) => `名册上的业主才能${survey ? '填' : '投'}。`,
      otherCasts: (survey: boolean) => (survey ? '您家这一份由另一位共有人来填。' : '您家这一票由另一位共有人来投。'),
    } as Record<VoteDeed, (survey: boolean) => string>,
    seeReceipt: '看回执',
    signIn: '登录再投票',
    signInSurvey: '登录再填',
    notOnRoll: (who: string) => `只有名册上的业主能投。${who}不在这次表决的名册里。`,
    matter: (name: string) => `这件事属于“${name}”`,
    matters: {
      RULES_OF_PROCEDURE: '制定或修改议事规则',
      COVENANT: '制定或修改管理规约',
      ELECT_COMMITTEE: '选举业委会',
      ENGAGE_PROVIDER: '选聘或解聘物业',
      USE_FUND: '使用维修资金',
      RAISE_FUND: '筹集维修资金',
      REBUILD: '改建、重建建筑和设施',
      CHANGE_COMMON_PARTS: '改变共有部分的用途或用来经营',
      SPEND_INCOME: '使用共有收入',
      OTHER_MATTER: '其他重大事项',
      CONSULTATION: '征求意见',
    },
    backToBulletin: '回到公告栏',
    resultPrint: '打印结果',
    print: '打印这次表决',
  },

  tally: {
    sides,
    measures: { heads: '人数', area: '面积' },
    /** At the mark of a bar: what is to be reached, and how many that are. */
    mark: goal,
    markNeeds: (measure: Measure, value: bigint) => `要 ${amount(measure, value)}`,
    ask: {
      NOT_YET_OPEN: '还没开始投。要算数，得来',
      TOO_FEW: '投票的还不够，还差',
      NOT_AGREED: '投票的够了，赞同还差',
      HOLDS: '投票的业主',
      ENOUGH_HIDDEN: '投票的业主',
      COUNTING: '投票截止了',
      ADOPTED: '表决结束，这件事',
      NOT_ADOPTED: '表决结束，这件事',
      NO_QUORUM: '表决结束，来投票的',
      ANNULLED: '这次表决',
    } satisfies Record<Standing, string>,
    said: {
      HOLDS: '够数了',
      ENOUGH_HIDDEN: '够数了',
      COUNTING: '正在计票',
      ADOPTED: '通过了',
      NOT_ADOPTED: '没有通过',
      NO_QUORUM: '没有够数',
      ANNULLED: '作废了',
    } as Partial<Record<Standing, string>>,
    axisMet: { heads: '人数够了', area: '面积够了' },
    then: (r: TallyReading, outOfReach: boolean) => then(r, outOfReach),
    participationQuestion: (need: Need) => `来投票的，${reach(need)}没有？`,
    agreementQuestion: (need: Need) => `赞同的，${reach(need)}没有？`,
    notYet: '还不够',
    notReached: '没有够',
    enough: '够数',
    nowAgreed: (need: Need) => `现在${reach(need)}`,
    adopted: '通过',
    shortOf,
    axisShort: (measure: Measure, axis: Axis) => `还差 ${amount(measure, axis.missing)}`,
    axisShortClosed: (measure: Measure, axis: Axis) => `差 ${amount(measure, axis.missing)}`,
    axisNeeds: (measure: Measure, axis: Axis) => `还要 ${amount(measure, axis.missing)}`,
    axisEnough: '够了',
    axisAgreed: reach,
    ofAll: (measure: Measure, of: bigint) => `共 *${amount(measure, of)}*`,
    ofThoseWhoVoted: '投了票的',
    fan: '投了票的，放大来看',
    fanHidden: '投了票的',
    forPlusFollow: '赞同加随多数',
    clause,
    hiddenTitle: '怎么投的，截止后公布',
    hidden: (closesAt: string) =>
      `这个小区的议事规则定的：投票期间只公布多少业主投了票。${closesAt} 截止后，这里写出赞同、反对、弃权各多少。`,
    follow: (r: TallyReading, following: Amounts, asAbstain: boolean) => followSentence(r, following, asAbstain),
    counts: '各选项的人数和面积',
    countsHead: '怎么投的',
    law: (p: { flats: number; eligible: bigint; scope: string | null; clause: string; parkingCounts: boolean }) =>
      `${p.scope ?? '全小区'} ${whole(p.flats)} 套，${heads(p.eligible)}业主：一位业主有几套，人数只算一户，面积加在一起。` +
      `${p.parkingCounts ? '车位也算面积。' : '车位不算。'}弃权算投了票，但不算赞同。依据${p.clause}。`,
    article: (clause: string, gate: 'PARTICIPATION' | 'AGREEMENT', need: Need) => article(clause, gate, need),
    articleAsk: (clause: string) => `${clause}怎么说`,
    pace: {
      onPaper: (p: Pace, last: LocalTime) => `到 ${date(last)}，*每天 ${paceAmount(p)}就够*。`,
      short: (p: Pace) => `${p.days === 1 ? '明天来' : '每天'} ${paceAmount(p)}就够`,
      sentence: (p: Pace, last: LocalTime) =>
        p.days === 1 ? `明天来 *${paceAmount(p)}* 就够。` : `从明天到${nearDay(last)}，*每天 ${paceAmount(p)}就够*。`,
      area: (p: Pace) => `面积上每天要 ${area(p.area)}。`,
      before: (closes: string) => `没有整天了，${closes} 截止。`,
      average: (days: number, n: number) => `前 ${days} 天平均每天 ${heads(n)}。`,
      label: (p: Pace) => `${p.days === 1 ? '明天' : '每天'} ${paceAmount(p)}${p.days > 2 ? '就够' : ''}`,
      caption: '每天来投票的户数',
      day: (t: LocalTime, n: number) => `${date(t)} 周${WEEKDAYS[t.weekday]}，${heads(n)}`,
      dayToCome: (t: LocalTime, n: bigint) => `${date(t)} 周${WEEKDAYS[t.weekday]}，还要 ${heads(n)}`,
      weekday: (t: LocalTime) => WEEKDAYS[t.weekday] ?? '',
      today: '今天',
    },
    lastBallot: (t: string) => `最近一票 ${t}`,
    noBallotYet: '还没有人投',
    arrived: (n: bigint) => `刚刚又有 ${heads(n)}投了票`,
    spoken: (r: TallyReading) => spoken(r),
    spokenAll: (all: readonly Titled[]) => spokenAll(all),
    /** The compact tally on the bulletin. */
    short: {
      missing: '还差',
      met: { heads: '人数够了', area: '面积够了' },
      need: '要来',
      needed: (need: Need) => `${reach(need)}*才算数*`,
      sentence: (r: TallyReading) => compactSentence(r),
    },
    partyWeight: (w: Amounts) => `算 1 户、${area(w.area)}`,
    stillMissing: (g: Gate, closes: string) => `现在离${goal(g.need)}还差 *${missing(g)}*。${closes} 以后在这里看结果。`,
  },

  survey: {
    filled: (n: bigint) => `${heads(n)}填了。这是征求意见，不设门槛，也没有通过不通过。`,
    filledShort: (n: bigint) => `${heads(n)}填了`,
    answered: (n: bigint) => `其中 ${heads(n)}答了这一题。`,
    closed: (n: bigint) => `征求意见结束，${heads(n)}填了。这里没有通过不通过。`,
    hidden: '各选项多少，截止后公布。',
    options: '各选项有多少户',
  },

  event: {
    at: (when: string, place: string) => `${when}，${place}`,
    places: (n: number) => `还有 *${whole(n)}* 个位子`,
    noLimit: (n: number) => `已经有 *${whole(n)}* 人报名`,
    full: '*坐满了*',
    over: '*办完了*',
    running: '*正在进行*',
    signUpClosed: '*报名截止了*',
    tables: (tables: number, signedUp: number) => `${whole(tables)} 桌，一桌 10 人，已报 ${whole(signedUp)} 人。`,
    seats: (capacity: number, signedUp: number) => `一共 ${whole(capacity)} 个位子，已报 ${whole(signedUp)} 人。`,
    came: (n: number) => `${whole(n)} 人报了名。`,
    bringDish: '一家带一个菜。',
    closesAt: (t: string) => `报名到 ${t}`,
    organizers: (names: string) => `${names}办`,
    howMany: '我家来几人',
    fewer: '少一人',
    moreOne: '多一人',
    most: (n: number) => `一家最多 ${n} 人`,
    dish: '带什么菜',
    dishHint: '比如红烧肉。还没想好可以不写。',
    signUp: '报名',
    signingUp: '正在报名',
    signedUp: '报上名了',
    householdSignedUp: '您家已经报上名了',
    byHousehold: '同户的人替全家报的，一户报一次。要改人数，或者不去了，您也可以取消。',
    seal: '已报名',
    yours: (n: number) => `您家来 *${n}* 人`,
    yourDish: (dish: string) => `带${dish}`,
    cancel: '不去了',
    cancelAsk: (n: number) => `取消以后，您家的 ${n} 个位子马上让给别人。`,
    cancelYes: '取消报名',
    cancelNo: '还是去',
    cancelling: '正在取消',
    cancelled: '已经取消，位子让出来了。',
    retrySafe: '不知道刚才到没到。再按一次，也只算报一次。',
    cancelRetrySafe: '不知道刚才到没到。再按一次也不要紧。',
    signInFirst: '住在小区的人登录以后就能报名。',
    whoMay: '本小区的业主、租客和工作人员可以报名。',
    whoMayCancel: '本小区的业主、租客和工作人员可以取消。',
    print: '打印活动海报',
    signIn: '登录再报名',
    fullHint: '有人取消，位子会马上空出来，这里会变。',
    notEnough: (n: number) => `只剩 ${n} 个位子了，请把人数减到 ${n}。`,
    dishes: '桌上有什么',
    dishesEmpty: '还没有人说要带什么菜。',
    who: '我家来',
    people: '人',
    addDish: '写上带什么菜',
    seenBy: '登录的邻居看得到：几幢、来几人、带什么菜。看不到姓名和门牌。',
    tablesAre: (tables: number, signedUp: number) => `${whole(tables)} 桌，已报 ${whole(signedUp)} 人`,
    plan: (tables: number) => `场上的 ${whole(tables)} 张桌子，点一张看同桌`,
    stage: '舞台',
    legend: { taken: '坐了人', free: '空位', yours: '您家' },
    tableName: (n: number) => `${n} 桌`,
    tableSays: (n: number, taken: number, free: number, own: boolean) =>
      `${n} 桌，坐了 ${taken} 人，${free ? `还空 ${free} 位` : '满了'}${own ? '，您家在这桌' : ''}`,
    tableFree: (free: number) => (free ? `还空 *${free}* 位` : '*坐满了*'),
    tableClose: '收起桌子',
    neighbour: (building: string | null) => (building ? `${building}的一家` : '本小区的人'),
    household: '您家',
    dishNone: '还没说带什么菜',
    dishesMissing: (n: number) => `这桌还有 ${n} 家没说带什么菜。`,
    tableEmpty: '还没有人坐这桌。',
    tableSignIn: '登录的邻居看得到同桌是几幢的、带什么菜。',
    tableTrouble: '没能取到这一桌。',
    provisional: '按报名先后暂排，有人取消，后面的会往前挪。',
    about: '说明',
    corrected: (at: string) => `文字更正于${gap(at)}${at}`,
  },

  ledger: {
    title: '大家的钱',
    thisMonth: '大家的钱，这个月',
    inMonth: (name: string) => `大家的钱，${month(name)}`,
    kick: '共有收入：小区共有部分挣来的钱',
    sinceFirst: (name: string, until: string) => `共有收入，${month(name)} 1 日到${gap(until)}${until}`,
    whole: (name: string) => `共有收入，${yearMonth(name)}`,
    balance: '账上现在有',
    surplus: '收支相抵，多了',
    deficit: '收支相抵，少了',
    even: '收支相抵，刚好',
    leftOver: '多出来的',
    overspent: '超出收进的',
    opening: (from: string, to: string) => `月初 ${from}，现在 *${to}*`,
    openingThen: (from: string, to: string) => `月初 ${from}，月底 *${to}*`,
    entries: (n: number) => `一笔一笔看（${whole(n)} 笔）`,
    noEntries: '这个月还没有记账。',
    empty: '账上还没有记过一笔。',
    emptyHint: '小区的广告、停车、快递柜挣了钱，或者用了钱，都会一笔笔写在这里。',
    months: (one: string, other: string) => `${one}、${other} 年每个月`,
    years: '一年一年看',
    year: (n: number) => `${n} 年`,
    yearEnd: (last: string) => (last.endsWith('-12') ? '年底余' : `到 ${month(last)}余`),
    /** Of a sum: what was taken back, and what takes others back, which is negative. Empty where nothing was. */
    undone: (reversed: bigint, reversals: bigint) =>
      [reversed > 0n ? `其中 *${yuan(reversed)}* 已冲正` : '', reversals < 0n ? `${reversed > 0n ? '，' : '其中'}冲正 *${yuan(reversals)}*` : ''].join(''),
    monthsHint: '线上面是收进，线下面是用出。',
    monthBar: (name: string, income: string, expense: string) => `${yearMonth(name)}：收进 ${income}，用出 ${expense}`,
    monthPick: '看哪个月',
    earlierMonth: '上个月',
    laterMonth: '下个月',
    yearMonth,
    month,
    list: (name: string) => `${yearMonth(name)}的每一笔`,
    direction: { INCOME: '收进', EXPENSE: '用出' },
    balanceAfter: (b: string) => `余 ${b}`,
    authority: '依据',
    authorityNone: '没有写明依据',
    byVote: (title: string) => `表决“${title}”`,
    reverses: (n: number, on: string) => `冲正第 ${whole(n)} 笔（${on}）`,
    reversedBy: (n: number, on: string) => `已冲正，见第 ${whole(n)} 笔（${on}）`,
    late: (on: string) => `${on}补记`,
    recorded: (by: string | null, on: string) => (by ? `${PARTIES[by] ?? by}记账，${on}` : `${on}录入`),
    faults: {
      NOT_COUNTED: '这次表决还没有计票，不能作依据。',
      NOT_ADOPTED: '这次表决没有通过，或没有全部通过，不能作依据。',
      NO_QUORUM: '这次表决参加的业主不够，没有通过，不能作依据。',
      ANNULLED: '这次表决已被撤销，不能作依据。',
      CONSULTATION: '这只是征求意见，不能作依据。',
      OTHER_MATTER: '这次表决定的不是这件事，不能作依据。',
    },
    voucher: (v: string) => `凭证 ${v}`,
    more: '再看几笔',
    loadingMore: '正在取',
    allShown: '这个月就这些。',
    notAll: (there: number, all: number) =>
      all > there ? `这张纸没印全：这个月共 ${all} 笔，这里只有 ${there} 笔。请在网页上看全，再打印一次。` : '这张纸没印全。请在网页上看全，再打印一次。',
    noRights: '账目只给本小区的业主看。',
    print: '打印这个月的账',
    record: '记一笔账',
    entriesOf: (name: string) => `看 ${yearMonth(name)}的账`,
    categories: {
      PARKING_COMMON: '停车',
      ADVERTISING: '广告',
      PREMISES_RENT: '用房出租',
      SITE_RENT: '场地出租',
      PARCEL_LOCKER: '快递柜',
      TELECOM_SITE: '通信基站',
      CHARGING: '充电',
      COMPENSATION: '赔偿',
      INTEREST: '利息',
      OTHER: '其他收入',
      FUND_TOP_UP: '补维修资金',
      REPAIR_UPGRADE: '维修改造',
      OPERATING_COST: '合理成本',
      COMMITTEE_COST: '业委会经费',
      ALLOWANCE: '补贴',
      AUDIT: '审计',
      COMMUNITY_EVENT: '小区活动',
      OTHER_RESOLVED: '表决定的',
    },
  },

  print: {
    on: (date: string, clock: string) => `${date} ${clock} 打印`,
    /** Where the live page is, for those who hold the paper. */
    from: (address: string) => `实时数字见 ${address}`,
  },

  notice: {
    by: (name: string, at: string) => `${name}，${at}`,
    kinds: { NOTICE: '公告', DISPLAY: '公示' },
    print: '打印公告',
    withdrawn: '已撤下',
    corrected: (at: string, by: string) => `更正于${gap(at)}${at}（${by}）`,
    earlier: (open: boolean): string => (open ? '收起原文' : '看原文'),
    saidUntil: (since: string, until: string) => `原文，${since} 到${gap(until)}${until}`,
  },

  field: {
    count: (n: number) => `${whole(n)} 字；长了不会替您剪掉`,
    timed: (n: number) => `${whole(n)} 字，读一遍约 ${reading(n)}`,
    left: (n: number) => `还能写 ${whole(n)} 字`,
    over: (n: number) => `多了 ${whole(n)} 字`,
    tooLong: (most: number) => `最多 ${whole(most)} 字，请您自己删短一些。`,
  },
}

export type Words = typeof zh

/** Between a sign and a figure there is some air. */
function gap(next: string): string {
  return /^\d/.test(next) ? ' ' : ''
}

/** Four characters a second, as one reads a notice aloud to oneself. */
function reading(characters: number): string {
  const seconds = Math.ceil(characters / 40) * 10
  return seconds < 60 ? `${seconds} 秒` : `${Math.round(seconds / 60)} 分钟`
}

function clause(text: string): string {
  const read = readClause(text)
  return read ? `《${read.law}》${read.articles.map(numbered).join('、')}` : text
}

function numbered({ number, inserted, until, paragraph, item }: Article): string {
  const later = inserted ? `之 ${inserted}` : until ? `至第 ${until} 条` : ''
  return `第 ${number} 条${later}${paragraph ? `第 ${paragraph} 款` : ''}${item ? `第 ${item} 项` : ''}`
}

function counted(n: number): string {
  return n === 2 ? '两' : numeral(n)
}

function span({ days, hours, minutes }: Span): string {
  if (days) return hours ? `${days} 天 ${hours} 小时` : `${days} 天`
  if (hours) return minutes ? `${hours} 小时 ${minutes} 分` : `${hours} 小时`
  return `${minutes} 分钟`
}

function who(account: string): string {
  const [place, name = ''] = account.split('/')
  const [, role = name, number] = /^(.*?)-(\d+)$/.exec(name) ?? []
  const names: Record<string, string> = {
    resident: '住户',
    tenant: '租客',
    clerk: '计票员',
    committee: place === 'zijin-xiyuan' ? '物管委' : '业委会',
    manager: '物业',
    grid: '网格员',
    branch: '党支部',
    developer: '建设单位',
    regulator: '主管部门',
    integrator: '接入单位',
  }
  const known = names[role]
  if (!known) return account
  return number ? `${number} 号${known}` : known
}

function agreementNow(g: Gate | null, participating: Amounts): string {
  if (!g || participating.heads === 0n) return ''
  return g.met ? `投了票的里面，赞同现在${reach(g.need)}。` : `投了票的里面，赞同现在还${shortOf(g.need)}。`
}

function then(r: TallyReading, outOfReach: boolean): string {
  const { participation: p, agreement: a } = r
  const all = reach(p.need)
  const came = reached(p.need)
  switch (r.standing) {
    case 'NOT_YET_OPEN':
      return `人数和面积都${all}，这次表决才算数。`
    case 'TOO_FEW':
      return `人数和面积都${all}，这次表决才算数。${agreementNow(a, r.participating)}`
    case 'NOT_AGREED':
      if (outOfReach) return `剩下的业主就是都投赞同，也${shortOf(a!.need)}了。`
      return `再来的业主若都投赞同，还要这么多才${reach(a!.need)}。`
    case 'HOLDS':
      return `人数和面积都${came}，这次表决算数。${agreementNow(a, r.participating)}`
    case 'ENOUGH_HIDDEN':
      return `人数和面积都${came}，这次表决算数。怎么投的，截止后公布。`
    case 'COUNTING':
      return '结果一出来就写在这里。'
    case 'ADOPTED':
      return `投票的业主${came}，其中赞同${a ? reach(a.need) : '够数'}，人数和面积都够。`
    case 'NOT_ADOPTED':
      return `投票的业主${came}，但赞同的${a ? `${shortMeasures(a)}${shortOf(a.need)}` : '不够'}。没有通过，不等于定了相反的事。`
    case 'NO_QUORUM':
      return `离${goal(p.need)}还差 ${missing(p)}，所以这次表决不算数，赞同多少都不作决定。`
    case 'ANNULLED':
      return '这次表决不作数了，下面的数字只留作记录。'
  }
}

function followSentence(r: TallyReading, following: Amounts, asAbstain: boolean): string {
  const amounts = both(following)
  if (following.heads === 0n) return '还没有人选随多数。'
  if (asAbstain) return `随多数的 ${amounts} 按议事规则当弃权算。`
  if (!r.leader) return `现在没有哪一边在人数、面积上都领先，随多数的 ${amounts} 先当弃权算。领先的有了，它们跟着走。`
  const joined = r.leader === 'FOR' && r.agreeing ? `，合起来 ${both(r.agreeing)}` : ''
  return `${sides[r.leader]}在人数、面积上都领先，随多数的 ${amounts} 现在算到${sides[r.leader]}一边${joined}。领先的变了，它们跟着变。`
}

const speak = (text: string) => text.replaceAll('㎡', '平方米')
const spokenTurnout = (r: TallyReading) => `共 ${heads(r.eligible.heads)}，${heads(r.participating.heads)}投了票。`

function spoken(r: TallyReading): string {
  return spokenTurnout(r) + spokenStanding(r)
}

/** Of several questions each by its title: none of them speaks for the whole vote. */
function spokenAll(all: readonly Titled[]): string {
  const turnouts = new Set(all.map(({ reading }) => spokenTurnout(reading)))
  if (turnouts.size === 1) return [...turnouts][0] + all.map(({ reading, title }) => `${title}：${spokenStanding(reading)}`).join('')
  return all.map(({ reading, title }) => `${title}：${spoken(reading)}`).join('')
}

function spokenStanding(r: TallyReading): string {
  const { participation: p, agreement: a } = r
  const closed: Partial<Record<Standing, string>> = {
    ADOPTED: '表决结束，通过了。',
    NOT_ADOPTED: '表决结束，没有通过。',
    NO_QUORUM: '表决结束，投票的没有够数。',
    ANNULLED: '这次表决作废了。',
    COUNTING: '投票截止，正在计票。',
    NOT_YET_OPEN: '还没开始投票。',
  }
  const end = closed[r.standing]
  if (end) return end
  const first = p.met ? `投票的已${reach(p.need)}。` : `离${goal(p.need)}还差 ${missing(p)}。`
  const second = !a || r.participating.heads === 0n ? '' : a.met ? `赞同现在${reach(a.need)}。` : `赞同还${shortOf(a.need)}。`
  return speak(first + second)
}

const nearDay = (t: LocalTime) => NEAR[t.daysAway] ?? (t.daysAway < 7 ? `周${WEEKDAYS[t.weekday]}` : date(t))
/** A day of this week; a later one is said by the card, there is no room for it here. */
const soonDay = (t: LocalTime) => (t.daysAway >= 0 && t.daysAway < 7 ? nearDay(t) : '')
/** A feast by its own name, 第四届美城美邻节 as 美邻节; whatever else it is, an activity. */
const gathering = (title: string) => /\p{Script=Han}{2}[节宴]$/u.exec(title)?.[0] ?? '活动'
const paceAmount = (p: Pace) => (p.heads > 0n ? heads(p.heads) : area(p.area))

/** What an article says of a gate, in its own words where we have them, and in plain ones. */
function article(clause: string, gate: 'PARTICIPATION' | 'AGREEMENT', need: Need) {
  const sources: Record<string, string> = {
    '民法典 278': '《中华人民共和国民法典》第二百七十八条第二款，2021 年 1 月 1 日起施行。',
    '杭州市物业管理条例 16': '《杭州市物业管理条例》第十六条，2022 年 3 月 1 日起施行；门槛和《民法典》第二百七十八条一样。',
  }
  const source = sources[clause]
  if (!source) return null
  const plain =
    gate === 'PARTICIPATION'
      ? '全部业主里，来投票的人数和面积都要有三分之二以上，这次表决才算数。正好三分之二也算。'
      : need.exceeded
        ? '来投票的里面，赞同的人数和面积都要多于一半，正好一半不算。弃权算来投了票，不算赞同。'
        : '来投票的里面，赞同的人数和面积都要有四分之三以上，正好四分之三也算。弃权算来投了票，不算赞同。'
  const quoted =
    gate === 'PARTICIPATION'
      ? '“业主共同决定事项，应当由专有部分面积占比三分之二以上的业主且人数占比三分之二以上的业主参与表决。”'
      : need.exceeded
        ? '“决定前款其他事项，应当经参与表决专有部分面积过半数的业主且参与表决人数过半数的业主同意。”'
        : '“决定前款第六项至第八项规定的事项，应当经参与表决专有部分面积四分之三以上的业主且参与表决人数四分之三以上的业主同意。”'
  return { plain, quoted: clause === '民法典 278' ? quoted : null, source }
}

function compactSentence(r: TallyReading): string {
  if (r.participating.heads === 0n) return '还没有人投。'
  const closed = ['ADOPTED', 'NOT_ADOPTED', 'NO_QUORUM', 'ANNULLED', 'COUNTING'].includes(r.standing)
  if (!r.sides || !r.agreement) return `${heads(r.participating.heads)}投了票。怎么投的，截止后公布。`
  const verdict = r.agreement.met
    ? `赞同${closed ? '' : '现在'}${reach(r.agreement.need)}`
    : `赞同的${shortMeasures(r.agreement)}${closed ? '' : '还'}${shortOf(r.agreement.need)}`
  return `投了票的 ${heads(r.participating.heads)}里，${verdict}。`
}

