//! How much of the machine other programs took meanwhile: whoever reads the numbers should know.

use std::fs;
use std::ops::Sub;

/// Processor time since the machine was started, in ticks of the kernel.
#[derive(Clone, Copy, Debug)]
struct Ticks {
    all: u64,
    idle: u64,
    own: u64,
}

impl Sub for Ticks {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        let [all, idle, own] = [
            self.all.saturating_sub(earlier.all),
            self.idle.saturating_sub(earlier.idle),
            self.own.saturating_sub(earlier.own),
        ];
        Self { all, idle, own }
    }
}

/// Watches from here on, where the system tells.
pub(crate) struct Weather(Option<Ticks>);

impl Weather {
    pub(crate) fn watch() -> Self {
        Self(now())
    }

    /// One sentence of it.
    pub(crate) fn report(&self) -> String {
        let passed = self.0.zip(now()).map(|(then, now)| now - then);
        match passed.map(others) {
            Some(percent) => format!("Other programs took {percent} % of the machine meanwhile."),
            None => "What other programs took meanwhile is not known.".to_owned(),
        }
    }
}

fn now() -> Option<Ticks> {
    let read = |path| fs::read_to_string(path).ok();
    ticks(&read("/proc/stat")?, &read("/proc/self/stat")?)
}

/// From the tables of the kernel: all processors, and this process with its children.
fn ticks(all: &str, own: &str) -> Option<Ticks> {
    let numbers = |text: &str| -> Vec<u64> {
        text.split_whitespace()
            .map(|word| word.parse().unwrap_or_default())
            .collect()
    };
    // User, nice, system, idle, waiting, interrupts, soft interrupts, stolen.
    let all = numbers(all.lines().next()?.strip_prefix("cpu ")?);
    // Behind the name in brackets, which may hold anything: the last four of these are the times.
    let own = numbers(own.rsplit_once(") ")?.1);
    let idle = all.get(3..5)?.iter().sum();
    Some(Ticks {
        all: all.get(..8)?.iter().sum(),
        idle,
        own: own.get(11..15)?.iter().sum(),
    })
}

/// The share of all others, in percent.
fn others(passed: Ticks) -> u64 {
    let others = passed.all.saturating_sub(passed.idle + passed.own);
    (others * 100).div_ceil(passed.all.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "42 (a (b) c) R 1 1 1 0 -1 0 9 9 9 9 10 20 30 40 20 0 1 0";

    #[test]
    fn the_tables_of_the_kernel_are_understood() {
        let all = "cpu  100 1 50 800 20 3 4 22 7 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        let Ticks { all, idle, own } = ticks(all, OWN).expect("it is such a table");
        assert_eq!([all, idle, own], [1_000, 820, 100]);
    }

    #[test]
    fn what_is_neither_idle_nor_own_is_of_others() {
        let then = Ticks {
            all: 1_000,
            idle: 800,
            own: 0,
        };
        let now = Ticks {
            all: 2_000,
            idle: 1_300,
            own: 400,
        };
        assert_eq!(others(now - then), 10);
    }
}
