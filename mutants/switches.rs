/// The switches of the mistakes: see the package `mutants`, which adds this to a copy of the core.
mod mutant {
    use std::env;
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::LazyLock;

    static ON: LazyLock<Option<usize>> =
        LazyLock::new(|| env::var("STARTSTOP_MUTANT").ok()?.parse().ok());

    /// Where it is told which switches were come across.
    static MET: LazyLock<Option<String>> = LazyLock::new(|| env::var("STARTSTOP_MUTANTS_MET").ok());

    static KNOWN: [AtomicBool; 10_000] = [const { AtomicBool::new(false) }; 10_000];

    pub(crate) fn on(id: usize) -> bool {
        if let Some(path) = &*MET {
            if !KNOWN[id].swap(true, Ordering::Relaxed) {
                let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
                file.write_all(format!("{id}\n").as_bytes()).unwrap();
            }
        }
        *ON == Some(id)
    }
}
