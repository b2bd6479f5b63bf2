//! The way back to a list. A page that a list leads to has the list's address in its own, as `back`,
//! with the filter, the order and the page, so that its links lead there again.

use actix_web::HttpRequest;
use url::form_urlencoded::{self, Serializer};

/// The name of the parameter, and of the field that a form has it in.
pub(super) const NAME: &str = "back";
/// The longest address that is carried along. For a longer one the way leads to the whole list.
const LONGEST: usize = 2_000;

/// A list that others lead back to.
#[derive(Clone, Copy)]
pub(super) enum List {
    /// Of sessions.
    Sessions,
    /// Of people.
    People,
    /// Of bulk jobs.
    Jobs,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub(super) struct Back {
    /// Its address on this site.
    pub(super) href: String,
    /// The name of the list.
    pub(super) words: &'static str,
    /// Whether it was given, rather than the list that a page leads back to otherwise.
    pub(super) is_given: bool,
}

impl List {
    const ALL: [Self; 3] = [Self::Sessions, Self::People, Self::Jobs];

    fn path(self) -> &'static str {
        match self {
            Self::Sessions => "/admin/sessions",
            Self::People => "/admin/users",
            Self::Jobs => "/admin/jobs",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Sessions => "Sessions",
            Self::People => "People",
            Self::Jobs => "Jobs",
        }
    }
}

impl Back {
    /// Returns the whole list.
    pub(super) fn to(list: List) -> Self {
        Self {
            href: list.path().into(),
            words: list.words(),
            is_given: false,
        }
    }

    /// Returns the page of a list at `address`. Only addresses of lists are followed.
    pub(super) fn parse(address: &str) -> Option<Self> {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let list = List::ALL.into_iter().find(|list| list.path() == path)?;
        let query = Serializer::new(String::new())
            .extend_pairs(form_urlencoded::parse(query.as_bytes()))
            .finish();
        let href = match query.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{query}"),
        };
        (href.len() <= LONGEST).then_some(Self {
            href,
            words: list.words(),
            is_given: true,
        })
    }

    /// Returns the page of a list at `address`, for what it leads to: the whole list needs no address.
    pub(super) fn here(address: &str, list: List) -> Self {
        let narrowed = Self::parse(address).filter(|back| back.href.contains('?'));
        narrowed.unwrap_or_else(|| Self::to(list))
    }

    /// Returns the page of a list in the query of a page, else the whole `list`.
    pub(super) fn of(request: &HttpRequest, list: List) -> Self {
        let query = request.query_string();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let given = pairs.find(|(name, _)| name == NAME);
        let given = given.and_then(|(_, address)| Self::parse(&address));
        given.unwrap_or_else(|| Self::to(list))
    }

    /// Returns the address of a page that leads back here.
    pub(super) fn from(&self, path: impl AsRef<str>) -> String {
        let path = path.as_ref();
        match self.is_given {
            false => path.to_owned(),
            true => {
                let mut query = Serializer::new(String::new());
                let query = query.append_pair(NAME, &self.href).finish();
                let separator = if path.contains('?') { '&' } else { '?' };
                format!("{path}{separator}{query}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lists_are_led_back_to() {
        let list = "/admin/sessions?kind=phone&sort=opened&cursor=abc";
        let back = Back::parse(list).unwrap();
        assert_eq!((back.href.as_str(), back.words), (list, "Sessions"));
        let page = back.from("/admin/users/1?before=2");
        assert_eq!(
            page,
            "/admin/users/1?before=2&back=%2Fadmin%2Fsessions%3Fkind%3Dphone%26sort%3Dopened%26cursor%3Dabc"
        );
        for other in [
            "",
            "//evil.example/admin/sessions",
            "https://evil.example/admin/sessions?a=b",
            "/admin/sessions/../../x?a",
            "/admin/sessions/x",
            "/sign-out",
            "javascript:alert(1)",
            &format!("/admin/users?q={}", "x".repeat(LONGEST)),
        ] {
            assert!(Back::parse(other).is_none(), "{other}");
        }
        // What means something in HTML or in an address is encoded again.
        let hostile = Back::parse("/admin/users?q=\"><a\r\n&#x").unwrap();
        assert_eq!(hostile.href, "/admin/users?q=%22%3E%3Ca%0D%0A&%23x=");
    }

    #[test]
    fn the_whole_list_needs_no_address() {
        assert_eq!(
            Back::to(List::People).from("/admin/users/1"),
            "/admin/users/1"
        );
        let whole = Back::here("/admin/sessions", List::Sessions);
        assert_eq!(whole.from("/admin/sessions/1"), "/admin/sessions/1");
    }
}
