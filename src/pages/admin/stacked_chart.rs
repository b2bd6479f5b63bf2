//! A chart of bars in which each consists of several values, one upon the other. Next to its colour a
//! value is told by its title, by the order in the legend and by the table beside the chart.

use super::chart::{HEIGHT, WIDTH, axis, bar_top, to_float};
use super::quantity::signed;

/// The most series of a chart, each of which has a colour.
pub const SERIES: usize = 3;

/// A chart of bars from left to right, each of up to [`SERIES`] parts.
pub struct StackedChart {
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
    /// The largest sum: the scale.
    pub largest: String,
    /// What the parts of each bar are, from the lowest one.
    pub legend: [&'static str; SERIES],
    /// The bars.
    pub stacks: Vec<Stack>,
}

/// One bar.
pub struct Stack {
    /// Its name and its values in words.
    pub words: String,
    /// The left edge.
    pub x: String,
    /// The width.
    pub width: String,
    /// The parts that are not empty, from the lowest one.
    pub parts: Vec<Part>,
    /// The name below the axis, where there is room, and its middle.
    pub tick: Option<(String, String)>,
}

/// A part of a bar.
pub struct Part {
    /// The number of its series.
    pub series: usize,
    /// The upper edge.
    pub y: String,
    /// The height.
    pub height: String,
}

impl StackedChart {
    /// Returns a chart of `values` by their names; a name stands below every `step`th bar, beginning
    /// with the first.
    pub fn new(
        (id, title): (&'static str, &'static str),
        summary: String,
        legend: [&'static str; SERIES],
        values: &[(String, [i64; SERIES])],
        step: usize,
    ) -> Self {
        let sums = values.iter().map(|(_, parts)| parts.iter().sum::<i64>());
        let largest = sums.max().unwrap_or(0);
        let slot = to_float(WIDTH) / to_float(i64::try_from(values.len().max(1)).unwrap_or(1));
        let stack = |(index, (name, values)): (usize, &(String, [i64; SERIES]))| {
            let x = slot * to_float(i64::try_from(index).unwrap_or_default());
            let has_tick = index % step.max(1) == 0;
            Stack {
                words: describe(name, &legend, values),
                x: format!("{:.1}", x + slot * 0.1),
                width: format!("{:.1}", slot * 0.8),
                parts: parts(values, largest),
                tick: has_tick.then(|| (name.clone(), format!("{:.1}", x + slot / 2.0))),
            }
        };
        Self {
            id,
            title,
            summary,
            size: (WIDTH, HEIGHT),
            axis: axis(),
            largest: signed(largest),
            legend,
            stacks: values.iter().enumerate().map(stack).collect(),
        }
    }
}

/// Returns a bar in words: "08:00: 3 failed passwords, 1 throttled attempt, 0 other refusals".
fn describe(name: &str, legend: &[&str; SERIES], values: &[i64; SERIES]) -> String {
    let parts: Vec<String> = values
        .iter()
        .zip(legend)
        .map(|(value, name)| {
            let name = name.to_lowercase();
            let name = match value {
                1 => name.strip_suffix('s').unwrap_or(&name),
                _ => &name,
            };
            format!("{} {name}", signed(*value))
        })
        .collect();
    format!("{name}: {}", parts.join(", "))
}

fn parts(values: &[i64; SERIES], largest: i64) -> Vec<Part> {
    let mut below = 0;
    let mut parts = Vec::new();
    for (series, value) in values.iter().enumerate() {
        if *value <= 0 {
            continue;
        }
        let (lower, upper) = (bar_top(below, largest), bar_top(below + value, largest));
        below += value;
        parts.push(Part {
            series,
            y: format!("{upper:.1}"),
            height: format!("{:.1}", lower - upper),
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_bar_stand_upon_each_other() {
        let legend = ["Apples", "Pears", "Plums"];
        let values = [("1:00".into(), [2, 0, 3]), ("2:00".into(), [5, 5, 0])];
        let chart = StackedChart::new(("id", "title"), String::new(), legend, &values, 1);
        let parts = |index: usize| -> Vec<(usize, &str, &str)> {
            let parts = chart.stacks[index].parts.iter();
            parts
                .map(|part| (part.series, part.y.as_str(), part.height.as_str()))
                .collect()
        };
        assert_eq!(parts(0), [(0, "121.2", "24.8"), (2, "84.0", "37.2")]);
        assert_eq!(parts(1), [(0, "84.0", "62.0"), (1, "22.0", "62.0")]);
        assert_eq!(chart.stacks[0].words, "1:00: 2 apples, 0 pears, 3 plums");
        assert_eq!(chart.largest, "10");
    }
}
