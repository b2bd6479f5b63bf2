//! The links from a page of a list to the others.

/// The links below a list.
#[derive(Default)]
pub(super) struct Pager {
    /// What is said beside them; empty for none.
    pub(super) words: String,
    /// The links.
    pub(super) links: Vec<PageLink>,
}

/// A link to another page.
pub(super) struct PageLink {
    /// Its address.
    pub(super) href: String,
    /// Its words.
    pub(super) words: &'static str,
    /// What its page is to this one: `next` or `prev`; empty for another.
    pub(super) rel: &'static str,
    /// Whether it goes on with a search that took too long.
    pub(super) is_rest: bool,
}

/// How far the search for a page came.
#[derive(Clone, Copy)]
pub(super) enum Progress {
    /// The page has all that it can have.
    Whole,
    /// It took too long on the way to a next page.
    StoppedForward,
    /// It took too long on the way to a previous page.
    StoppedBackward,
}

/// The pages after and before one, and whether the first ones are the newest.
pub(super) struct Neighbours {
    pub(super) next: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) newest_first: bool,
}

impl Pager {
    /// Returns the links to the pages beside one.
    pub(super) fn new(words: String, pages: Neighbours, progress: Progress) -> Self {
        let (next, previous) = match pages.newest_first {
            true => ("Older", "Newer"),
            false => ("Newer", "Older"),
        };
        let link = |href: Option<String>, words, rel, is_rest| {
            let words = if is_rest { "Continue" } else { words };
            href.map(|href| PageLink {
                href,
                words,
                rel,
                is_rest,
            })
        };
        let stopped_backward = matches!(progress, Progress::StoppedBackward);
        let stopped_forward = matches!(progress, Progress::StoppedForward);
        let before = link(pages.previous, previous, "prev", stopped_backward);
        let after = link(pages.next, next, "next", stopped_forward);
        let mut links: Vec<PageLink> = before.into_iter().chain(after).collect();
        if !pages.newest_first {
            // Newer ones stand first, and what goes on with the search where it goes.
            links.reverse();
        }
        Self { words, links }
    }

    /// Returns links with these words; those without an address are left out.
    pub(super) fn of<const N: usize>(links: [(Option<String>, &'static str); N]) -> Self {
        let link = |(href, words): (Option<String>, &'static str)| {
            Some(PageLink {
                href: href?,
                words,
                rel: "",
                is_rest: false,
            })
        };
        Self {
            words: String::new(),
            links: links.into_iter().filter_map(link).collect(),
        }
    }

    /// Returns whether a search that took too long goes on from here.
    pub(super) fn has_rest(&self) -> bool {
        self.links.iter().any(|link| link.is_rest)
    }

    /// Returns whether there are other pages, the rest of a search not counted.
    pub(super) fn has_others(&self) -> bool {
        self.links.iter().any(|link| !link.is_rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_took_too_long_goes_on_the_way_it_went() {
        let links = |progress, newest_first| {
            let pages = Neighbours {
                next: Some("n".into()),
                previous: Some("p".into()),
                newest_first,
            };
            let pager = Pager::new(String::new(), pages, progress);
            let link = |link: PageLink| (link.words, link.href);
            pager.links.into_iter().map(link).collect::<Vec<_>>()
        };
        let (n, p) = (
            |words| (words, "n".to_owned()),
            |words| (words, "p".to_owned()),
        );
        for (progress, newest_first, expected) in [
            (Progress::Whole, true, [p("Newer"), n("Older")]),
            (Progress::Whole, false, [n("Newer"), p("Older")]),
            (Progress::StoppedForward, true, [p("Newer"), n("Continue")]),
            (Progress::StoppedForward, false, [n("Continue"), p("Older")]),
            (Progress::StoppedBackward, true, [p("Continue"), n("Older")]),
            (
                Progress::StoppedBackward,
                false,
                [n("Newer"), p("Continue")],
            ),
        ] {
            assert_eq!(links(progress, newest_first), expected);
        }
    }
}
