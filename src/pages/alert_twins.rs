//! Tells alerts apart that are shown together and ask the same about a device of the same name.

use super::alert_views::AlertView;
use crate::text;

/// Has each of several alike say which it is, in the order in which they happened.
pub(super) fn tell_apart(alerts: &mut [AlertView]) {
    let key = |alert: &AlertView| (alert.heading, alert.lead.device.clone());
    let mut order: Vec<usize> = (0..alerts.len()).collect();
    // Of one second, in the order of their ids, which begin with the time.
    order.sort_by_key(|index| {
        alerts
            .get(*index)
            .map(|it| (it.at.iso.clone(), it.id.clone()))
    });
    let keys: Vec<_> = alerts.iter().map(key).collect();
    let mut seen: Vec<&(&str, String)> = Vec::new();
    for index in order {
        let (Some(alert), Some(own)) = (alerts.get_mut(index), keys.get(index)) else {
            continue;
        };
        seen.push(own);
        let is_alike = |other: &&&(&str, String)| **other == own;
        let nth = seen.iter().filter(is_alike).count();
        let what = if alert.is_sign_in { "sign-in" } else { "alert" };
        let has_twin = keys.iter().filter(|it| *it == own).count() > 1;
        alert.which = has_twin.then(|| format!("{} {what}", text::ordinal(nth)));
    }
}
