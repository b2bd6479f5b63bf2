//! Which form the responses to errors of a path have.

/// Prefixes of the paths that programs call.
const PROGRAM_PREFIXES: [&str; 5] = ["/api/", "/auth/", "/health/", "/oauth/", "/.well-known/"];

/// The form of the responses to errors of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorForm {
    /// Of RFC 6749.
    OAuth,
    /// Of RFC 9457.
    Problem,
    /// A page.
    Page,
}

impl ErrorForm {
    pub(super) fn of(path: &str) -> Self {
        let is_for_programs = PROGRAM_PREFIXES
            .iter()
            .any(|prefix| path.starts_with(prefix));
        match is_for_programs {
            true if path.starts_with("/oauth/") => Self::OAuth,
            true => Self::Problem,
            false => Self::Page,
        }
    }
}
