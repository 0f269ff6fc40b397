//! Figures of several rounds.

/// The middle, and the ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of any number of figures; zeros if there are none.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(at(middle.saturating_sub(1)), at(middle)),
            _ => at(middle),
        };
        Self {
            min: at(0),
            median,
            max: at(sorted.len().saturating_sub(1)),
        }
    }

    /// The ratios of each round's figures.
    pub(crate) fn of_ratios(figures: &[f64], yardsticks: &[f64]) -> Self {
        Self::of(
            figures
                .iter()
                .zip(yardsticks)
                .map(|(figure, yardstick)| figure / yardstick),
        )
    }

    /// `185 (180–201)`, with each figure written by `write`.
    pub(crate) fn text(self, write: impl Fn(f64) -> String) -> String {
        format!("{} ({}–{})", write(self.median), write(self.min), write(self.max))
    }
}

/// With three or four digits: `0.081`, `4.62`, `185`, `1,402`, `19.9 k`.
pub(crate) fn short(figure: f64) -> String {
    match figure.abs() {
        a if a >= 99_950.0 => format!("{:.0} k", figure / 1e3),
        a if a >= 9_995.0 => format!("{:.1} k", figure / 1e3),
        a if a >= 999.5 => thousands(figure),
        a if a >= 99.95 => format!("{figure:.0}"),
        a if a >= 9.995 => format!("{figure:.1}"),
        a if a >= 0.995 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}

/// `1,402`.
pub(crate) fn thousands(figure: f64) -> String {
    let whole = figure.round() as u64;
    match whole {
        0..1_000 => whole.to_string(),
        _ => format!("{},{:03}", whole / 1_000, whole % 1_000),
    }
}

/// `0.08×`.
pub(crate) fn times(ratio: f64) -> String {
    match ratio {
        r if r >= 9.95 => format!("{r:.0}×"),
        r if r >= 1.995 => format!("{r:.1}×"),
        r => format!("{r:.2}×"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!(spread.text(short), "2.00 (1.00–3.00)");
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert_eq!(Spread::of_ratios(&[2.0, 9.0], &[1.0, 3.0]).median, 2.5);
    }

    #[test]
    fn figures_have_three_digits() {
        assert_eq!(
            [0.0812, 4.621, 185.4, 4_999.0, 60_123.0].map(short),
            ["0.081", "4.62", "185", "4,999", "60.1 k"]
        );
        assert_eq!([0.081, 2.9, 12.4].map(times), ["0.08×", "2.9×", "12×"]);
    }
}
