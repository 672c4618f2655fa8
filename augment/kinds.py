"""What is no word to be said otherwise, by kind: links and addresses, handles, code, slots, files, numbers, emoji.

"see bit.ly/x"  place "bit.ly/x"        "dear [NAME], open /etc/hosts"  slot "[NAME]", place "/etc/hosts"

"end.Then" is two sentences without a blank, "and/or" two words, and "cars=job" says what a tweet means.
"""

PICTURE = "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
"""An emoji's first character."""
_LAST = r"[^\s.,:;!?'\")\]]"
"""What a link may end with."""
_PART = r"/\.?[\w@+-]+(?:\.[\w@+-]+)*"
_ENDINGS = (
    "com|org|net|edu|gov|mil|info|biz|io|co|uk|de|fr|nl|ch|dk|pl|pt|cz|ru|ua|jp|cn|kr|hk|au|nz|ca|mx|br|ar|za|ie|eu|app|dev"
    "|ai|tv|fm|xyz|ly|gl|gd|cc"
)
"""Of domains. Those that are words too (it.me) count before a path alone."""
_WORDS = "me|it|be|at|no|is|in|to|us|am|so|my|la|as|es|se|mp|id|by"
_FILES = (
    "txt|csv|tsv|jsonl?|ya?ml|xml|html?|pdf|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|mp[34]|wav|avi|mov|zip|tar|gz|tgz|bz2|rar|7z"
    "|exe|dll|ipynb|py|js|ts|css|cpp|java|sh|sql|db|log|md|rst|ini|cfg|conf|toml|parquet|apk"
)
_BEGINS = r"(?<![\w@./\\-])"
_DOMAIN = (
    rf"(?:[A-Za-z0-9](?:[\w-]{{0,61}}[A-Za-z0-9])?\.)+(?:(?:{_ENDINGS}|{_ENDINGS.upper()})(?![\w@-]|\.[a-z])|(?:{_WORDS})(?=/\w))"
    rf"(?::\d+)?(?:[/?#]\S*{_LAST}|/)?"
)
_FILE = rf"(?:[\w+-]+/)*[\w+-]+(?:\.[\w+-]+)*\.(?:{_FILES}|{_FILES.upper()})(?![\w@-]|\.[a-z])"
_SLOTS = (
    r"\{\{[^{}\n]{1,200}\}\}",
    r"\{%[^{}\n]{1,200}%\}",
    r"\$?\{[\w.\[\]]*(?:![rsa])?(?::[^{}\s]{0,20})?\}",
    r"\$(?<!\w\$)[A-Z_][A-Z0-9_]+\b",
    r"%(?:\(\w+\)|\d+\$)?[-+#0]*\d*(?:\.\d+)?[hlL]{0,2}[diouxXeEfFgGcrs]\b",
    r"%@|%[A-Z_][A-Z0-9_]+%",
    r"\[[A-Z][A-Z0-9_]+\]",
    r"__(?<!\w__)[A-Za-z](?:\w*?[^\W_])?__(?!\w)",
    r"<%[^<>\n]{1,200}%>",
    r"</?[A-Za-z][^<>\n]{0,200}>",
)
"""Of templates (Jinja, str.format), shells, printf and its like, anonymised texts, Python, HTML."""
_PLACES = (
    rf"(?=[/~.]){_BEGINS}(?:(?:{_PART}){{2,}}|(?:~|\.\.?)(?:{_PART})+)/?",
    rf"\\(?<!\S\\)\\\w\S*{_LAST}",
    rf"{_BEGINS}(?:[A-Za-z]:[\\/](?=\w)\S*{_LAST}|(?=[\w+/-]++\.\w)(?:{_DOMAIN}|{_FILE}))",
)
"""Paths of POSIX (two parts or more), of a share and a drive of Windows, domains, files. Words without a dot are passed at once."""

_WRITTEN = (
    r"(?<!\w)(?:[A-Za-z0-9]++_++[A-Za-z0-9]\w*+(?:\.\w++)*+(?:\([^()\s]*\)|\[[^\[\]\s]*\])?"
    r"|(?=[\w.]{1,100}+[\[(:=!<>+^-])(?:"
    r"[A-Za-z_]\w*+(?:\.\w++)*+(?:\(\)|\[[\"']?\w++[\"']?\])"
    r"|[A-Za-z_]\w*+(?:\.\w++)++\([^()\s]*+\)"
    r"|\w++(?:(?:::|->|=>|==|!=|<=|>=|\+=|-=|:=|\^)[\w\"'(\[{$]|=[\d\"'(\[{$])(?:\S*[\w\"'\]}>])?))"
)
"""snake_case, f(), x["key"], a.b(c), a::b, x==1, key="value"; each word is looked at once, however long it is."""
_CODE = (
    r"(?s:```.+?```)|`[^`\n]+`",
    _WRITTEN,
    r"-(?<!\S-)(?:[A-Za-z](?=\s)|-[a-z][\w-]*=\S+)",
    r"\^[^\s^$]+\$(?!\w)",
)
"""What stands between back-ticks, tokens, options of commands (-m, --key=value), words of Apertium's stream."""

KINDS = {
    "code": "|".join(_CODE),
    "slot": rf"(?=[{{$%[_<])(?:{'|'.join(_SLOTS)})",
    "endless": r"\S{120,}+",  # no word, and translators need time quadratic in its length
    "link": rf"(?=[Hhwsfg])(?:(?:https?|HTTPS?|Https?|s?ftps?|wss?|ssh|git|file|s3|gs|hf)://|www\.)\S*{_LAST}",
    "email": r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+",
    "place": "|".join(_PLACES),
    "handle": r"@\w+",
    "hashtag": r"#\w+",
    "emoji": rf"(?:{PICTURE}[\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f]*)+",
    "smiley": r"(?=[:;=8])(?<!\w)(?:[:;=][-']?[()DPpOo/\\|*3]|8[-']?[()DP])(?!\w)|<3(?!\w)",
    "lost": "\ufffd+",
    "number": r"[$€£]?\b[^\W\d]*+\d\w*(?:[.,:/-]\w*\d\w*)*%?",
    "placeholder": r"\b[Xx][Qq][Zz][A-Za-z]+\b",
}
"""The kinds in the order in which they are tried, each a regular expression."""
INSIDE = frozenset({"code", "slot", "place", "number", "placeholder"})
"""What is part of a sentence wherever it stands: "{name} is late"."""
COUNTED = frozenset({"number", "lost"})
"""What a text may write otherwise ("two", "2"), and what was lost before."""
