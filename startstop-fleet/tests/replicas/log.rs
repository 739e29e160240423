//! The log: kept by one process for all, it refuses an entry that bears an older fence than one before.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use startstop_fleet::Fenced;

/// A piece of work: with which fence, by which process, and from when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) fence: u64,
    pub(crate) pid: u32,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

#[derive(Clone, Default)]
pub(crate) struct Log {
    entries: Arc<Fenced<Vec<Entry>>>,
    refused: Arc<Mutex<Vec<Entry>>>,
}

impl Log {
    /// Keeps a log at a socket, for as long as this process lives.
    pub(crate) fn at(path: &Path) -> Self {
        let log = Self::default();
        let (listener, this) = (UnixListener::bind(path).unwrap(), log.clone());
        thread::spawn(move || {
            for writer in listener.incoming().flatten() {
                let this = this.clone();
                thread::spawn(move || this.serve(writer));
            }
        });
        log
    }

    fn serve(&self, mut writer: UnixStream) {
        let entries = BufReader::new(writer.try_clone().unwrap()).lines();
        for entry in entries
            .map_while(Result::ok)
            .filter_map(|line| parse(&line))
        {
            let answer = match self
                .entries
                .write(entry.fence, |entries| entries.push(entry))
            {
                Ok(()) => "ok\n",
                Err(_) => {
                    self.refused().push(entry);
                    "refused\n"
                }
            };
            if writer.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.read(Clone::clone)
    }

    #[allow(dead_code, reason = "not all who have a log ask")]
    pub(crate) fn len(&self) -> usize {
        self.entries.read(Vec::len)
    }

    pub(crate) fn last(&self) -> Option<Entry> {
        self.entries.read(|entries| entries.last().copied())
    }

    pub(crate) fn refused(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.refused.lock().unwrap()
    }

    /// No two processes have worked at once, each fence is of one process, and none goes back.
    #[track_caller]
    pub(crate) fn assert_sound(&self) {
        let entries = self.entries();
        for pair in entries.windows(2) {
            let [one, next] = pair else {
                unreachable!("windows of two")
            };
            assert!(
                one.fence <= next.fence,
                "a fence goes back: {one:?}, {next:?}"
            );
            if one.pid != next.pid {
                assert!(one.fence < next.fence, "a fence of two: {one:?}, {next:?}");
                assert!(one.to <= next.from, "an overlap: {one:?}, {next:?}");
            }
        }
    }
}

fn parse(line: &str) -> Option<Entry> {
    let numbers: Vec<u64> = line
        .split(' ')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let [fence, pid, from, to] = numbers[..] else {
        return None;
    };
    Some(Entry {
        fence,
        pid: u32::try_from(pid).ok()?,
        from,
        to,
    })
}
