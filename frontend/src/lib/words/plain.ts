/** By what one knows that a notice says when, and whom to ask; notices are Chinese whatever the page speaks. */
export const says = {
  time: /\d\s*[:：点时]|\d\s*[月日号]|今[天晚日]|明[天晚日]|后天|周[一二三四五六日末]|星期|即日|\d\s*[ap]\.?m\b/iu,
  contact: /\d(?:[\s-]?\d){6,}|电话|微信|联系|有事找|请找|咨询|前台|服务中心|@|\bphone\b|\bcontact\b|\bcall\b/iu,
}
