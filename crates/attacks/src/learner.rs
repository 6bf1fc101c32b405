//! A classifier for attacks that learn from shadow populations (A10, A11): logistic regression with a ridge.
//!
//! Our own, since it is forty lines, and what the attacks have to tell apart is a sum of small shifts in many answers, for which
//! trees are no better. Deterministic: it begins at nothing and takes a fixed number of steps.
//!
//! Absent: what the features mean.

/// Steps of the descent.
const STEPS: usize = 150;

/// Answers as features, and whether their population has the secret.
pub type Example = (Vec<f64>, bool);

/// A linear score of features.
pub struct Learned {
    mean: Vec<f64>,
    scale: Vec<f64>,
    weights: Vec<f64>,
}

impl Learned {
    /// Learns from examples; `ridge` draws the weights to nothing, the more the larger it is. Accelerated descent on standardised
    /// features (Beck and Teboulle 2009).
    pub fn from(examples: &[Example], ridge: f64) -> Self {
        let (mean, scale) = standards(examples);
        let mut learned = Self { weights: vec![0.0; mean.len()], mean, scale };
        let rows: Vec<(Vec<f64>, f64)> =
            examples.iter().map(|(x, has)| (learned.standard(x), if *has { 1.0 } else { 0.0 })).collect();
        let (count, features) = (rows.len().max(1) as f64, learned.weights.len());
        // The largest eigenvalue of the second derivative is a quarter of that of X'X / n, which power iteration finds.
        let step = 1.0 / (steepest(&rows, features) / (4.0 * count) + ridge).max(1e-9);
        let (mut ahead, mut momentum) = (learned.weights.clone(), 1.0_f64);
        for _ in 0..STEPS {
            let mut slope: Vec<f64> = ahead.iter().map(|weight| ridge * weight).collect();
            for (row, has) in &rows {
                let off = (sigmoid(dot(row, &ahead)) - has) / count;
                slope.iter_mut().zip(row).for_each(|(slope, x)| *slope += off * x);
            }
            let next: Vec<f64> = ahead.iter().zip(slope).map(|(weight, slope)| weight - step * slope).collect();
            let grown = f64::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
            let carried = (momentum - 1.0) / grown;
            ahead = next.iter().zip(&learned.weights).map(|(next, last)| next + carried * (next - last)).collect();
            (learned.weights, momentum) = (next, grown);
        }
        learned
    }

    /// The higher, the likelier the secret; 0 is even.
    pub fn score(&self, features: &[f64]) -> f64 {
        dot(&self.standard(features), &self.weights)
    }

    fn standard(&self, features: &[f64]) -> Vec<f64> {
        let both = self.mean.iter().zip(&self.scale);
        features.iter().zip(both).map(|(x, (mean, scale))| (x - mean) / scale).collect()
    }
}

/// Mean and standard deviation of each feature; of one that is always the same the deviation counts as 1.
fn standards(examples: &[Example]) -> (Vec<f64>, Vec<f64>) {
    let features = examples.first().map_or(0, |(x, _)| x.len());
    let count = examples.len().max(1) as f64;
    let mean: Vec<f64> = (0..features).map(|at| examples.iter().map(|(x, _)| x[at]).sum::<f64>() / count).collect();
    let spread = |(at, mean): (usize, &f64)| {
        let variance = examples.iter().map(|(x, _)| (x[at] - mean).powi(2)).sum::<f64>() / count;
        if variance > 1e-12 { variance.sqrt() } else { 1.0 }
    };
    let scale = mean.iter().enumerate().map(spread).collect();
    (mean, scale)
}

fn steepest(rows: &[(Vec<f64>, f64)], features: usize) -> f64 {
    let mut x = vec![1.0; features];
    let mut largest = 0.0;
    for _ in 0..12 {
        let mut next = vec![0.0; features];
        for (row, _) in rows {
            let along = dot(row, &x);
            next.iter_mut().zip(row).for_each(|(next, value)| *next += along * value);
        }
        largest = dot(&next, &next).sqrt();
        x = next.iter().map(|value| value / largest.max(1e-12)).collect();
    }
    // Power iteration comes from below.
    1.3 * largest
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_both_sides_apart_is_learned() {
        // The secret adds one to the second of three features; the others go their own way.
        let example = |at: usize| {
            let has = at.is_multiple_of(2);
            let drift = |factor: usize| ((at * factor) % 17) as f64 / 4.0;
            (vec![drift(5), drift(3) / 4.0 + f64::from(u8::from(has)), drift(7)], has)
        };
        let examples: Vec<Example> = (0..200).map(example).collect();
        let learned = Learned::from(&examples[..100], 0.01);
        let right = examples[100..].iter().filter(|(x, has)| (learned.score(x) > 0.0) == *has).count();
        assert!(right >= 90, "{right} of 100");
    }
}
