//! Charts as SVG, rendered by the server: a bar for each value. Every chart has a title and a
//! description, and the page has its values as a table as well.

use super::quantity::signed;

/// The size of a chart, in its own units.
pub(super) const WIDTH: i64 = 480;
pub(super) const HEIGHT: i64 = 170;
/// The space for the scale above the bars and for the labels below them.
const TOP: i64 = 22;
const BOTTOM: i64 = 24;

/// A chart of bars from left to right, such as of hours.
pub struct Chart {
    /// The id of its title on the page.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it shows, in a sentence.
    pub summary: String,
    /// The width and the height.
    pub size: (i64, i64),
    /// The distance of the axis from the upper edge.
    pub axis: i64,
    /// The largest value: the scale.
    pub largest: String,
    /// The bars.
    pub bars: Vec<Bar>,
}

/// One value of a chart.
pub struct Bar {
    /// The value's name: an hour, a day.
    pub name: String,
    /// The value in words.
    pub value: String,
    /// The left edge.
    pub x: String,
    /// The upper edge.
    pub y: String,
    /// The width.
    pub width: String,
    /// The height.
    pub height: String,
    /// The name below the axis, where there is room, and its middle.
    pub tick: Option<(String, String)>,
}

impl Chart {
    /// Returns a chart of `values` by their names; a name stands below every `step`th bar, beginning
    /// with the first.
    pub fn new(
        (id, title): (&'static str, &'static str),
        summary: String,
        values: &[(String, i64)],
        step: usize,
    ) -> Self {
        let largest = values.iter().map(|(_, value)| *value).max().unwrap_or(0);
        let axis = axis();
        let slot = to_float(WIDTH) / to_float(i64::try_from(values.len().max(1)).unwrap_or(1));
        let bar = |(index, (name, value)): (usize, &(String, i64))| {
            let x = slot * to_float(i64::try_from(index).unwrap_or_default());
            let top = bar_top(*value, largest);
            let height = to_float(axis) - top;
            let has_tick = index % step.max(1) == 0;
            Bar {
                name: name.clone(),
                value: signed(*value),
                x: format!("{:.1}", x + slot * 0.1),
                y: format!("{top:.1}"),
                width: format!("{:.1}", slot * 0.8),
                height: format!("{height:.1}"),
                tick: has_tick.then(|| (name.clone(), format!("{:.1}", x + slot / 2.0))),
            }
        };
        Self {
            id,
            title,
            summary,
            size: (WIDTH, HEIGHT),
            axis,
            largest: signed(largest),
            bars: values.iter().enumerate().map(bar).collect(),
        }
    }
}

/// Returns the distance of the axis from the upper edge.
pub(super) fn axis() -> i64 {
    HEIGHT - BOTTOM
}

/// Returns the distance of the top of a bar from the upper edge.
pub(super) fn bar_top(value: i64, largest: i64) -> f64 {
    to_float(axis()) - to_float(axis() - TOP) * share(value, largest)
}

/// Returns the length of a bar beside a row of a table, of `longest` at most.
pub fn length(value: i64, largest: i64, longest: i64) -> String {
    format!("{:.1}", to_float(longest) * share(value, largest))
}

fn share(value: i64, largest: i64) -> f64 {
    match largest {
        ..=0 => 0.0,
        largest => to_float(value.max(0)) / to_float(largest),
    }
}

/// Returns a number for a picture, in which rounding can't be seen.
pub(super) fn to_float(n: i64) -> f64 {
    f64::from(i32::try_from(n.min(i64::from(i32::MAX))).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_has_the_highest_bar() {
        let values: Vec<_> = [0, 5, 10].map(|n| (format!("{n}:00"), n)).into();
        let chart = Chart::new(("id", "title"), String::new(), &values, 2);
        let heights: Vec<_> = chart.bars.iter().map(|bar| bar.height.as_str()).collect();
        assert_eq!(heights, ["0.0", "62.0", "124.0"]);
        assert_eq!(chart.bars[2].y, "22.0");
        assert!(chart.bars[1].tick.is_none() && chart.bars[2].tick.is_some());
        let empty = Chart::new(("id", "title"), String::new(), &[], 1);
        assert!(empty.bars.is_empty());
    }

    #[test]
    fn more_than_the_largest_picture_does_not_overflow() {
        assert_eq!(length(i64::MAX, i64::MAX, 100), "100.0");
    }
}
