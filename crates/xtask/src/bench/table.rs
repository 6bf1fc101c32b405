//! A line of the table, and the table as text.

use serde::Serialize;

/// What one program did with one feed.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Which program, and what it does.
    pub who: String,
    /// Where it read, and in which form.
    pub from: String,
    /// Events read.
    pub events: f64,
    /// User and system time of the process alone, seconds per million events.
    pub cpu_seconds_per_million: f64,
    /// Events per second of wall time, start and end of the process included.
    pub events_per_second: f64,
    /// Bytes of keys, headers and values per second of wall time.
    pub bytes_per_second: f64,
    /// Largest resident set, MiB.
    pub peak_mib: f64,
    /// Parquet files that it left.
    pub files: u64,
    /// Versions of its Delta table; 0 where there is none.
    pub versions: u64,
    /// CPU per million of each run, of which this line is the one in the middle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cpu_of_each_run: Vec<f64>,
}

/// The run in the middle by CPU time.
///
/// # Panics
/// Without runs.
pub fn median(mut runs: Vec<Line>) -> Line {
    runs.sort_by(|a, b| a.cpu_seconds_per_million.total_cmp(&b.cpu_seconds_per_million));
    let cpu_of_each_run = runs.iter().map(|run| run.cpu_seconds_per_million).collect();
    let middle = runs.swap_remove(runs.len() / 2);
    Line { cpu_of_each_run, ..middle }
}

/// The lines as a table.
pub fn text(lines: &[Line]) -> String {
    let head = ["who", "from", "CPU-s/M", "events/s", "MB/s", "peak MiB", "files", "versions"].map(str::to_owned);
    let rows: Vec<[String; 8]> = std::iter::once(head)
        .chain(lines.iter().map(|line| {
            [
                line.who.clone(),
                line.from.clone(),
                format!("{:.2}", line.cpu_seconds_per_million),
                format!("{:.0}", line.events_per_second),
                format!("{:.0}", line.bytes_per_second / 1e6),
                format!("{:.0}", line.peak_mib),
                line.files.to_string(),
                line.versions.to_string(),
            ]
        }))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..8).map(width).collect();
    let line = |row: &[String; 8]| {
        let cell = |(at, text): (usize, &String)| {
            if at < 2 { format!("{text:<0$}", widths[at]) } else { format!("{text:>0$}", widths[at]) }
        };
        row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cpu: f64) -> Line {
        Line {
            who: "we".into(),
            from: "log".into(),
            events: 1.0,
            cpu_seconds_per_million: cpu,
            events_per_second: 2.0,
            bytes_per_second: 3e6,
            peak_mib: 4.0,
            files: 5,
            versions: 6,
            cpu_of_each_run: Vec::new(),
        }
    }

    #[test]
    fn the_run_in_the_middle_counts_and_tells_of_the_others() {
        let middle = median(vec![line(3.0), line(1.0), line(2.0)]);
        assert_eq!((middle.cpu_seconds_per_million, middle.cpu_of_each_run), (2.0, vec![1.0, 2.0, 3.0]));
    }

    #[test]
    fn columns_stand_under_their_heads() {
        let text = text(&[line(12.5)]);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0].find("CPU-s/M").map(|at| at + 7), rows[1].find("12.50").map(|at| at + 5));
    }
}
