//! Names that a form changes: one that was changed since the form showed it is not overwritten by the way.

/// Says that a name was not saved since it had been changed in the meantime, and what it is now; `None` where
/// that is not so. A form without the name that it `shown` is no older than the request.
pub(super) fn conflict(shown: Option<&str>, now: &str, chosen: &str) -> Option<String> {
    let is_changed = shown.is_some_and(|shown| shown != now);
    if !is_changed || chosen.trim() == now {
        return None;
    }
    let what = match now {
        "" => "the name was removed".to_owned(),
        now => format!("the name was changed to “{now}”"),
    };
    Some(format!(
        "Nothing was saved: since you opened this page, {what}. Save again to replace it."
    ))
}
