//! Names of devices in a sentence.

/// Devices that are named at most; the others are counted.
const MAX_NAMED: usize = 5;

/// Returns names of devices in a sentence: "2 devices named Firefox on Windows, curl and Safari on iPhone".
pub fn listed(names: &[String]) -> String {
    listed_up_to(names, MAX_NAMED)
}

/// Returns names as [`listed`] does, at most `max` of them; the others are counted.
pub fn listed_up_to(names: &[String], max: usize) -> String {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for name in names {
        match counted.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => counted.push((name, 1)),
        }
    }
    let rest: usize = counted.iter().skip(max).map(|(_, n)| n).sum();
    counted.truncate(max);
    let mut parts: Vec<String> = counted
        .into_iter()
        .map(|(name, count)| match count {
            1 => name.to_owned(),
            n => format!("{n} devices named {name}"),
        })
        .collect();
    if rest > 0 {
        parts.push(format!("{rest} more"));
    }
    match parts.as_slice() {
        [] => String::new(),
        [part] => part.clone(),
        [parts @ .., last] => format!("{} and {last}", parts.join(", ")),
    }
}
