"""In Chinese, what graphql-core and Strawberry say in English about a request that cannot be run."""

import re
from collections.abc import Sequence

from community.errors import InvalidInput

LONGEST = 400
_LONG_WORD = re.compile(r"(\w{60})\w+")

_Patterns = Sequence[tuple[str, str]]

_PATTERNS: _Patterns = (
    # What stands before the matter itself
    (r"Variable '\$(\w+)' has invalid value at \.?(\S+): (.*)", "变量 ${0} 的 {1} 有误，{2:zh}"),
    (r"Variable '\$(\w+)' has invalid value: (.*)", "变量 ${0} 有误，{1:zh}"),
    (r"Variable '\$(\w+)' has invalid default value(?: at \.?(\S+))?: (.*)", "变量 ${0} 的默认值 {1} 有误，{2:zh}"),
    (r"Argument '(\S+)' has invalid value(?: at \.?(\S+))?: (.*)", "参数 {0} {1} 有误，{2:zh}"),
    (r"(.*) Did you mean to use an inline fragment on (.+)\?", "{0:zh}，是不是要写成 {1} 的内联片段？"),
    (r"(.*) Did you mean (?:the (?:enum value|argument) )?(.+)\?", "{0:zh}，是不是 {1}？"),
    (r"Syntax Error: (.*)", "GraphQL 语法错误，{0:zh}"),
    # Values
    (r"Expected a value of non-null type '(.+)' to be provided\.", "没有给出，应为 {0}"),
    (r"Expected value of non-null type '(.+)' not to be None\.", "不能为 null，应为 {0}"),
    (r"Expected value of type '(.+?)' to be an object, found: (.*)\.", "应为对象 {0}，实为 {1}"),
    (r"Expected value of type '(.+?)' to include required field '(.+?)', found: (.*)\.", "{0} 缺少必填的 {1}，实为 {2}"),
    (r"Expected value of type '(.+?)' not to include unknown field '(.+?)', found: (.*)\.", "{0} 没有字段 {1}，实为 {2}"),
    (
        r"Expected value of type '(.+?)' not to include unknown field '(.+?)'\. Did you mean (.+?)\? Found: (.*)\.",
        "{0} 没有字段 {1}，是不是 {2}？实为 {3}",
    ),
    (r"Expected value of type '(.+?)', but encountered error '(.*)'; found: (.*)\.", "{2} 不能作为 {0}（{1:zh}）"),
    (r"Expected value of type '(.+?)', found: (.*)\.", "{1} 不能作为 {0}"),
    (r"Expected variable '(.+?)' provided to (?:non-null )?type '(.+?)' .*", "变量 {0} 没有值，应为 {1}"),
    (r"Int cannot represent non-integer value: (.*)", "{0} 不是整数 Int"),
    (r"Int cannot represent non 32-bit signed integer value: (.*)", "{0} 超出 32 位整数 Int 的范围"),
    (r"String cannot represent a non string value: (.*)", "{0} 不是字符串 String"),
    (r"Boolean cannot represent a non boolean value: (.*)", "{0} 不是 Boolean，只能是 true 或 false"),
    (r"ID cannot represent (?:a non-string and non-integer )?value: (.*)", "{0} 不能作编号 ID"),
    (r"Enum '(\w+)' cannot represent non-(?:string|enum) value: (.*?)\.", "{1} 不是枚举 {0} 的写法"),
    (r"Value '(.*)' does not exist in '(\w+)' enum\.", "枚举 {1} 没有 {0} 这个值"),
    (r"Exceeds the limit \((\d+) digits\) for integer string conversion.*", "数字太长，最多 {0} 位"),
    (r"Too many errors processing variables, error limit reached\. Execution aborted\.", "变量里的错误太多，不再逐个列出"),
    (r"Variable values are nested too deeply\.", "变量嵌套得太深"),
    (r"Variable '(\$\w+)' of required type '(.+)' was not provided\.", "变量 {0} 没有给出，应为 {1}"),
    # Fields, arguments, types
    (r"Cannot query field '(.+)' on type '(.+)'\.", "类型 {1} 没有字段 {0}"),
    (r"Unknown argument '(.+)' on field '(.+)'\.", "字段 {1} 没有参数 {0}"),
    (r"Unknown argument '(.+)' on directive '(.+)'\.", "指令 {1} 没有参数 {0}"),
    (r"Argument '(.+)' of (?:required )?type '(.+)' (?:is required, but it )?was not provided\.", "参数 {0} 必填，没有给出，应为 {1}"),
    (r"Unknown type '(.+)'\.", "没有类型 {0}"),
    (r"Unknown fragment '(.+)'\.", "没有片段 {0}"),
    (r"Unknown directive '(.+)'\.", "没有指令 {0}"),
    (r"Directive '(.+)' may not be used on (.+)\.", "指令 {0} 不能用在 {1} 上"),
    (r"The directive '(.+)' can only be used once at this location\.", "指令 {0} 在一处只能用一次"),
    (r"Field '(.+)' of type '(.+)' must have a selection of subfields\.", "字段 {0}（{1}）要写明取哪些子字段"),
    (r"Field '(.+)' must not have a selection since type '(.+)' has no subfields\.", "字段 {0}（{1}）没有子字段可取"),
    (r"Fields '([^']+)' conflict because (.+)\. Use different aliases.*", "几个 {0} 互相冲突（{1:zh}），请用不同的别名"),
    (r"(subfields '[^']+' conflict because .+?) and (subfields .+)", "{0:zh}，{1:zh}"),
    (r"subfields '([^']+)' conflict because (.+)", "子字段 {0} 互相冲突，{1:zh}"),
    (r"('[^']+') and ('[^']+') are different fields", "{0} 和 {1} 是不同的字段"),
    (r"they have differing arguments", "参数不同"),
    (r"they return conflicting types ('[^']+') and ('[^']+')", "类型 {0} 和 {1} 不同"),
    (r"There can be only one (argument|variable|operation|fragment|input field) named '(.+)'\.", "{1} 重复了（{0}）"),
    # Variables and fragments
    (r"Variable '(.+)' of type '(.+)' used in position expecting type '(.+)'\.", "变量 {0} 的类型是 {1}，此处应为 {2}"),
    (r"Variable '(.+)' is not defined by operation '(.+)'\.", "操作 {1} 没有定义变量 {0}"),
    (r"Variable '(.+)' is not defined\.", "没有定义变量 {0}"),
    (r"Variable '(.+)' is never used in operation '(.+)'\.", "操作 {1} 没有用到变量 {0}"),
    (r"Variable '(.+)' is never used\.", "没有用到变量 {0}"),
    (r"Variable '(.+)' cannot be non-input type '(.+)'\.", "变量 {0} 的类型 {1} 不能用作输入"),
    (r"Fragment '(.+)' is never used\.", "没有用到片段 {0}"),
    (r"Cannot spread fragment '(.+)' within itself(.*)\.", "片段 {0} 不能引用自己{1}"),
    (r"Fragment '(.+)' cannot condition on non composite type '(.+)'\.", "片段 {0} 不能用在类型 {1} 上"),
    (r"Fragment cannot condition on non composite type '(.+)'\.", "片段不能用在类型 {0} 上"),
    (r"Fragment '(.+)' cannot be spread here as objects of type '(.+)' can never be of type '(.+)'\.", "片段 {0} 不能用在这里，{1} 不会是 {2}"),
    (r"Fragment cannot be spread here as objects of type '(.+)' can never be of type '(.+)'\.", "片段不能用在这里，{0} 不会是 {1}"),
    # Operations
    (r"This anonymous operation must be the only defined operation\.", "没有名字的操作只能单独写"),
    (r"Must provide operation name if query contains multiple operations\.", "写了几个操作，要用 operationName 说明执行哪一个"),
    (r"Unknown operation named ['\"](.+)['\"]\.", "没有名为 {0} 的操作"),
    (r"Can't get GraphQL operation type", "没有可执行的操作"),
    (r"The (.+) operation is not supported by the schema\.", "不支持 {0} 操作"),
    (r"The (.+) definition is not executable\.", "{0} 的定义不能执行"),
    (r"(?:Anonymous )?Subscription ?(.*) must select (?:only )?one top level field\.", "订阅 {0} 只能取一个顶层字段"),
    (r"(?:Anonymous )?Subscription ?(.*) must not select an introspection top level field\.", "订阅 {0} 的顶层不能取内省字段"),
    (r"(?:Anonymous )?Subscription ?(.*) must not use (.+) directives in the top level selection\.", "订阅 {0} 的顶层不能用指令 {1:zh}"),
    (r"(`@\w+`) or (`@\w+`)", "{0}、{1}"),
    # As a whole
    (r"Maximum introspection depth exceeded", "内省嵌套得太深"),
    (r"(?:The d|D)ocument is nested too deeply\.(?: Parsing aborted\.)?", "嵌套得太深"),
    (r"There are more mistakes than these\.", "错误太多，其余的不再列出"),
    (r"Unable to parse request body as JSON", "内容不是 JSON"),
    (r"A request is a JSON object", "内容应为一个 JSON 对象"),
    (r"A key is given twice in one object", "同一个 JSON 对象里有重复的键"),
    (r"Batching is not enabled", "一次只能发一个请求"),
    (r"(?:No GraphQL query found in the request|Request data is missing a \"query\" value)", "没有写 query"),
    (r"The GraphQL operation's (`\w+`) must be a string or null, if provided\.", "{0} 应为字符串或 null"),
    (r"The GraphQL operation's (`\w+`) must be an object or null, if provided\.", "{0} 应为对象或 null"),
    (r"The name of an operation is a string or null", "`operationName` 应为字符串或 null"),
    # Syntax
    (r"Expected (.+), found (.+)\.", "应为 {0}，实为 {1}"),
    (r"(Unexpected .+), did you mean (?:to use a )?(.+)\?", "{0:zh}，是不是 {1:zh}？"),
    (r"Unexpected description, descriptions are not supported on shorthand queries\.", "省略 query 的查询前面不能有说明"),
    (r"Unexpected description, only GraphQL definitions support descriptions\.", "说明只能写在定义前面"),
    (r"Unexpected variable '(.+)' in constant value\.", "此处不能用变量 {0}"),
    (r"Unexpected (?:character: )?(.+?)\.?", "不该出现 {0:zh}"),
    (r"single quote character (.+)", "单引号 {0}"),
    (r"double quote (.+)", "双引号 {0}"),
    (r"Unterminated string\.", "字符串没有结束"),
    (r"Invalid number, unexpected digit after 0: (.+)\.", "数字的写法不对，0 后面不能有 {0}"),
    (r"Invalid number, expected digit but got: (.+)\.", "数字的写法不对，应为数字，实为 {0}"),
    (r"Invalid number, expected digit before '\.', did you mean (.+)\?", "数字的写法不对，小数点前面要有数字，是不是 {0}？"),
    (r"Invalid character(?: within String)?: (.+)\.", "不能有字符 {0}"),
    (r"Invalid (?:Unicode|character) escape sequence: (.+)\.", "转义 {0} 的写法不对"),
    (r"Invalid (.+)\.", "{0} 写法不对"),
)  # fmt: skip

_COMPILED = [(re.compile(pattern, re.DOTALL), sentence) for pattern, sentence in _PATTERNS]


class _Part(str):
    """A piece of an English sentence; as `{0:zh}` it is said in Chinese in its turn."""

    def __format__(self, spec: str) -> str:
        return in_chinese(self) if spec == "zh" else str(self)


def in_chinese(english: str) -> str:
    """Translates a message; names and values stay, and unknown messages stay in English."""
    for pattern, sentence in _COMPILED:
        if found := pattern.fullmatch(english):
            return sentence.format(*(_Part(part or "") for part in found.groups()))
    return english


_DOORS = (
    (
        re.compile(r"subscriptions are not allowed when using \w+"),
        "订阅要用 WebSocket（graphql-transport-ws），地址不变",
        "subscriptions run over a websocket (graphql-transport-ws) at the same address",
    ),
    (re.compile(r"mutations are not allowed when using GET"), "提交要用 POST", "send mutations by POST"),
)


def misspoken(english: str) -> InvalidInput:
    """What is told of a request that cannot be run, in both languages; of one at the wrong door, the right one."""
    for pattern, zh, en in _DOORS:
        if pattern.fullmatch(english):
            return InvalidInput(problem_zh=zh, problem_en=en)
    said = shortened(english)
    return InvalidInput(problem_zh=f"请求的写法不对，{in_chinese(said)}", problem_en=said)


def shortened(sentence: str) -> str:
    """Shortens text from a client."""
    sentence = _LONG_WORD.sub(r"\1…", sentence)
    return sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST]}…"
